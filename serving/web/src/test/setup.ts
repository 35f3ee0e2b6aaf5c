import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach, beforeAll } from "vitest";

// What jsdom lacks of a browser.
function showModal(this: HTMLDialogElement) {
  this.open = true;
}

function close(this: HTMLDialogElement) {
  this.open = false;
  this.dispatchEvent(new Event("close"));
}

function arrayBuffer(this: Blob): Promise<ArrayBuffer> {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result as ArrayBuffer));
    reader.readAsArrayBuffer(this);
  });
}

configure({ asyncUtilTimeout: 10_000 }); // a busy machine is no failure

beforeAll(() => {
  Blob.prototype.arrayBuffer ??= arrayBuffer;
  let urls = 0;
  URL.createObjectURL = () => `blob:picture-${++urls}`;
  URL.revokeObjectURL = () => {};
  Object.assign(HTMLDialogElement.prototype, { showModal, close });
  Element.prototype.scrollIntoView = () => {};
});

afterEach(cleanup);
