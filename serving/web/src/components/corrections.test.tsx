import { screen, within } from "@testing-library/react";

import type { Answer } from "../api/contract";
import { makeAnswer } from "../test/contract";
import { FakeMerger } from "../test/merger";
import { card, open } from "../test/page";

const answerWith = async (more: Partial<Answer>) => {
  new FakeMerger().install().classify = () => ({ ...makeAnswer(), ...more });
  await open("shoe.jpg");
  await screen.findByText("Casual Shoes", { selector: ".path-leaf" });
  return within(card("shoe.jpg"));
};

describe("corrections", () => {
  it("say how much of an answer comes of them", async () => {
    const shown = await answerWith({ correction_share: 0.46 });
    expect(shown.getByText(/46\s% of it from people’s corrections/)).toBeInTheDocument();
  });

  it.each([{ correction_share: 0 }, { correction_share: null }, {}])(
    "leave no trace where they have no say (%o)",
    async (more) => {
      const shown = await answerWith(more);
      expect(shown.queryByText(/corrections/)).toBeNull();
    },
  );
});
