/* The schedule's form and page: presets put a cron into its field, and a square of the strip tells what it is. */
"use strict";

(() => {
  function takePreset(button) {
    const field = document.querySelector("#sc-form [name=cron]");
    field.value = button.dataset.cron;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  }

  function readOut(cell) {
    const line = document.querySelector(".sc-readout");
    if (line) {
      line.textContent = cell ? cell.dataset.told : line.dataset.rest;
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-cron]");
    if (button) {
      takePreset(button);
    }
  });

  for (const [name, tells] of [["pointerover", true], ["focusin", true], ["pointerout", false], ["focusout", false]]) {
    document.addEventListener(name, (event) => {
      const cell = event.target.closest?.(".sc-cell[data-told]");
      if (cell) {
        readOut(tells ? cell : null);
      }
    });
  }
})();
