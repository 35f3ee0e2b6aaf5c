import { screen, waitFor, within } from "@testing-library/react";

import { makeAnswer } from "../test/contract";
import { FakeMerger } from "../test/merger";
import { card, open, openOver, user } from "../test/page";
import { FakeStore } from "../test/store";

let merger: FakeMerger;
let heard: string[];

beforeEach(() => {
  heard = [];
  merger = new FakeMerger().install();
  merger.classify = (_, __, productName) => {
    heard.push(productName);
    if (!productName) return { ...makeAnswer(), name: null };
    const name = { heard: true, message: "", fits: 0.97 };
    return { ...makeAnswer({ type: "Heels" }), name };
  };
});

/** Says what the product on a picture is called. */
async function call(file: string, productName: string) {
  await user.click(await screen.findByRole("button", { name: `Product name of ${file}` }));
  const field = screen.getByRole("textbox", { name: `What the product on ${file} is called` });
  expect(field).toHaveFocus();
  await user.clear(field);
  await user.type(field, `${productName}{Enter}`);
}

const leaf = (type: string) => screen.findByText(type, { selector: ".path-leaf" });

describe("a product's name", () => {
  it("is heard: the picture is asked about again, and the card says how well it fits", async () => {
    await open("shoe.jpg");
    await leaf("Casual Shoes");
    await call("shoe.jpg", " Puma <b>Women</b> Heels ");
    await leaf("Heels");
    expect(heard).toEqual(["", "Puma <b>Women</b> Heels"]);
    expect(screen.getByText("heard, fits 97 %", { exact: false })).toBeVisible();
    expect(screen.getByRole("button", { name: "Product name of shoe.jpg" })).toHaveTextContent(
      "Puma <b>Women</b> Heels",
    );
  });

  it("is not asked for again where it is the same, and can be taken away", async () => {
    await open("shoe.jpg");
    await leaf("Casual Shoes");
    await call("shoe.jpg", "Heels");
    await leaf("Heels");
    await call("shoe.jpg", "Heels");
    await call("shoe.jpg", " ");
    await leaf("Casual Shoes");
    expect(heard).toEqual(["", "Heels", ""]);
  });

  it("says why it was not heard", async () => {
    merger.classify = () => {
      const name = { heard: false, message: "Training knew no word of this name.", fits: null };
      return { ...makeAnswer(), name };
    };
    await open("shoe.jpg");
    await call("shoe.jpg", "xyzzy");
    expect(await screen.findByText(/Training knew no word of this name/)).toBeVisible();
  });

  it("belongs to its picture alone, and stays over a reload", async () => {
    const store = new FakeStore();
    const close = await openOver(store, "a.jpg", "b.jpg");
    await screen.findByText("2 pictures done");
    await call("b.jpg", "Heels");
    await within(card("b.jpg")).findByText("Heels", { selector: ".path-leaf" });
    expect(heard).toEqual(["", "", "Heels"]);
    await waitFor(() => expect([...store.kept.values()].at(1)?.facts?.productName).toBe("Heels"));
    close();
    await openOver(store);
    expect(await screen.findByRole("button", { name: "Product name of b.jpg" })).toHaveTextContent("Heels");
    expect(heard).toHaveLength(3);
  });
});
