import { screen, within } from "@testing-library/react";

import { makeAnswer, makeProblem, makeSimilar } from "../test/contract";
import { FakeMerger } from "../test/merger";
import { open, user } from "../test/page";

const region = () => screen.findByRole("region", { name: "Products that look like shoe.jpg" });

/** A merger whose release nobody has asked before: what a release lacks is remembered. */
const serve = (release: string) => {
  const merger = new FakeMerger().install();
  merger.classify = () => makeAnswer({ release });
  return merger;
};

describe("products that look alike", () => {
  it("stand under the answer with their names and pictures, and say what most of them are", async () => {
    serve("11").similar = (_, query) => {
      expect(query.toString()).toBe("k=6&thumbnails=true");
      return makeSimilar("11");
    };
    await open("shoe.jpg");
    const shown = within(await region());
    expect(await shown.findByText("18 of the 20 nearest are Casual Shoes")).toBeInTheDocument();
    const names = shown.getAllByRole("listitem").map((item) => item.textContent);
    expect(names).toEqual(["Shoe 1", "Shoe 2", "Shoe 3", "Shoe 4", "Shoe 5", "Casual Shoes"]);
    const sources = [...document.querySelectorAll<HTMLImageElement>(".alike img")].map(({ src }) => src);
    expect(sources).toEqual(["data:image/jpeg;base64,/9j/4AAQ", "data:image/png;base64,iVBORw0KGgoAAAA"]);
  });

  it("leave no trace where the release has no index, which is asked once", async () => {
    let asked = 0;
    serve("12").similar = () => {
      asked++;
      return makeProblem("no_index", 501);
    };
    await open("shoe.jpg", "hat.jpg");
    await vi.waitFor(() => expect(document.querySelector(".alike")).toBeNull());
    expect(asked).toBeLessThanOrEqual(2);
  });

  it("may fail without taking the answer along, and can be asked for again", async () => {
    const merger = serve("13");
    merger.similar = () => makeProblem("overloaded", 429);
    await open("shoe.jpg");
    const shown = within(await region());
    expect(await shown.findByText(/The server is busy/)).toBeInTheDocument();
    expect(screen.getByText("Casual Shoes", { selector: ".path-leaf" })).toBeInTheDocument();
    merger.similar = () => makeSimilar("13");
    await user.click(shown.getByRole("button", { name: "Similar to shoe.jpg: retry" }));
    expect(await screen.findByText("Shoe 1")).toBeInTheDocument();
  });
});
