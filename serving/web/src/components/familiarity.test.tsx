import { screen, within } from "@testing-library/react";

import { makeAnswer } from "../test/contract";
import { FakeMerger } from "../test/merger";
import { card, open } from "../test/page";

const answerOf = async (familiarity: number | null) => {
  new FakeMerger().install().classify = () => makeAnswer({ familiarity });
  await open("shoe.jpg");
  await screen.findByText("Casual Shoes", { selector: ".path-leaf" });
  return within(card("shoe.jpg"));
};

describe("familiarity", () => {
  it("stands on the card, and where it is low asks for a look in the server's words", async () => {
    const shown = await answerOf(0.12);
    expect(shown.getByText(/familiarity 12\s%/)).toBeInTheDocument();
    expect(shown.getByText("Needs a look")).toBeInTheDocument();
    expect(shown.getByText("The picture is unlike those.")).toBeInTheDocument();
  });

  it("asks nobody to look where it is high", async () => {
    const shown = await answerOf(0.9);
    expect(shown.queryByText("Needs a look")).toBeNull();
  });

  it("leaves no trace where the release cannot tell", async () => {
    const shown = await answerOf(null);
    expect(shown.queryByText(/familiarity/)).toBeNull();
  });
});
