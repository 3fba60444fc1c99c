/* Copies a secret that is shown once; where the browser gives no clipboard, it is selected for Ctrl-C. */
"use strict";

(() => {
  async function copy(button) {
    const field = document.getElementById(button.dataset.copies);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Press Ctrl-C";
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copies]");
    if (button) {
      copy(button);
    }
  });
})();
