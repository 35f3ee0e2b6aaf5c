// Load on a merger, half by REST and half by gRPC. Closed: CALLERS callers, each sending when it has its answer, to find
// what can be answered. Open: RATE pictures a second, whatever comes back, as the world outside does.
import encoding from "k6/encoding";
import grpc from "k6/net/grpc";
import http from "k6/http";
import { Counter, Trend } from "k6/metrics";

const { REST_URL, GRPC_TARGET, PROTO_ROOT, PICTURE, CALLERS, RATE, DURATION } = __ENV;
const picture = open(PICTURE, "b");
const encoded = encoding.b64encode(picture);
const client = new grpc.Client();
client.load([PROTO_ROOT], "serving/proto/lookbook/v1/classifier.proto");

const accepted = new Counter("accepted");
const refused = new Counter("refused");
const broken = new Counter("broken");
const accepted_ms = new Trend("accepted_ms", true);

const scenario = (exec) =>
  RATE
    ? { executor: "constant-arrival-rate", exec, rate: Math.round(RATE / 2), duration: DURATION, preAllocatedVUs: 150, maxVUs: 400 }
    : { executor: "constant-vus", exec, vus: Math.round(CALLERS / 2), duration: DURATION };

export const options = {
  scenarios: { rest: scenario("rest"), rpc: scenario("rpc") },
  summaryTrendStats: ["med", "p(99)", "max"],
  discardResponseBodies: true,
};

function note(isAccepted, isRefused, started, words) {
  if (isAccepted) {
    accepted.add(1);
    accepted_ms.add(Date.now() - started);
  } else if (isRefused) refused.add(1);
  else {
    broken.add(1);
    console.error(words);
  }
}

export function rest() {
  const started = Date.now();
  const reply = http.post(`${REST_URL}/v1/classify`, picture, { headers: { "Content-Type": "image/jpeg" } });
  const isRefused = [429, 503].includes(reply.status) && "Retry-After" in reply.headers;
  note(reply.status === 200, isRefused, started, `HTTP ${reply.status} ${reply.error}`);
}

let isConnected = false;

export function rpc() {
  if (!isConnected) client.connect(GRPC_TARGET, { plaintext: true });
  isConnected = true;
  const started = Date.now();
  const reply = client.invoke("lookbook.v1.Classifier/Classify", { image: encoded });
  const isRefused = [grpc.StatusResourceExhausted, grpc.StatusUnavailable].includes(reply.status);
  note(reply.status === grpc.StatusOK, isRefused, started, `gRPC ${reply.status} ${JSON.stringify(reply.error)}`);
}

export const handleSummary = ({ metrics }) => ({ stdout: JSON.stringify(metrics) });
