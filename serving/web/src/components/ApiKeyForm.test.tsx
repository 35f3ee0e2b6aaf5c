import { screen, waitFor } from "@testing-library/react";

import { FakeMerger } from "../test/merger";
import { open, user } from "../test/page";

describe("a server that wants an API key", () => {
  afterEach(() => sessionStorage.clear());

  it("is asked again with the key that a person enters, and keeps it for the tab", async () => {
    new FakeMerger().install().key = "correct-horse-battery";
    await open();
    const field = await screen.findByLabelText("This server wants an API key.");
    expect(field).toHaveAttribute("type", "password");
    await user.type(field, "wrong-horse");
    await user.click(screen.getByRole("button", { name: "Use this key" }));
    expect(await screen.findByText(/does not know the one it got/)).toBeVisible();
    await user.clear(field);
    await user.type(field, "correct-horse-battery{Enter}");
    expect(await screen.findByText("Ready · release 3")).toBeVisible();
    await waitFor(() => expect(screen.queryByLabelText("This server wants an API key.")).toBeNull());
    expect(sessionStorage.getItem("lookbook-api-key")).toBe("correct-horse-battery");
    expect(localStorage).toHaveLength(0);
  });
});
