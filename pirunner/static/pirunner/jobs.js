/*
The pages of jobs: choosing many, following a log, copying, renewing the list. Without it every page still works.
All of it listens at the document, so that what htmx brings later needs nothing more.
*/
"use strict";

(() => {
  const RENEW_MS = 5000;

  /* -- choosing jobs in the list --------------------------------------------------------------------------- */

  function boxes(form) {
    return [...form.querySelectorAll('input[name="job"]')];
  }

  function tell(form) {
    const bulk = form.querySelector("[data-bulk]");
    if (!bulk) {
      return;
    }
    const all = boxes(form);
    const chosen = all.filter((box) => box.checked).length;
    const across = form.querySelector("[data-across]").checked;
    const toggle = form.querySelector("[data-choose-all]");
    bulk.hidden = chosen === 0 && !across;
    bulk.toggleAttribute("data-stuck", !bulk.hidden);
    bulk.querySelector("[data-bulk-count]").textContent = across ? "All that match" : `${chosen} chosen`;
    toggle.checked = chosen === all.length;
    toggle.indeterminate = chosen > 0 && chosen < all.length;
  }

  function tellAll() {
    document.querySelectorAll("[data-chooser]").forEach(tell);
  }

  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-chooser]");
    if (form) {
      if (event.target.matches("[data-choose-all]")) {
        boxes(form).forEach((box) => {
          box.checked = event.target.checked;
        });
      }
      tell(form);
    }
    if (event.target.matches("[data-filters] select")) {
      event.target.form.requestSubmit();
    }
    if (event.target.matches("[data-follow]") && event.target.checked) {
      toEnd(event.target.closest("[data-log-panel]"));
    }
  });

  /* -- renewing the list, while nobody is busy with it ------------------------------------------------------- */

  function isInUse(list) {
    const active = document.activeElement;
    return (
      document.hidden ||
      list.querySelector("input:checked") !== null ||
      (active !== document.body && list.contains(active)) ||
      !document.getSelection().isCollapsed
    );
  }

  setInterval(() => {
    const list = document.querySelector("[data-renew]");
    if (list && window.htmx && !isInUse(list)) {
      htmx.trigger(list, "jobs:renew");
    }
  }, RENEW_MS);

  /* -- the log ----------------------------------------------------------------------------------------------- */

  function toEnd(panel) {
    const pane = panel.querySelector("[data-log-pane]");
    pane.scrollTop = pane.scrollHeight;
  }

  function follow() {
    const box = document.querySelector("[data-follow]");
    if (box && box.checked) {
      toEnd(box.closest("[data-log-panel]"));
    }
  }

  document.addEventListener("htmx:oobAfterSwap", follow);

  // Whoever scrolls up wants to read; at the end it goes on.
  document.addEventListener(
    "wheel",
    (event) => {
      const pane = event.target.closest && event.target.closest("[data-log-pane]");
      if (pane && event.deltaY < 0 && pane.scrollHeight > pane.clientHeight) {
        pane.closest("[data-log-panel]").querySelector("[data-follow]").checked = false;
      }
    },
    { passive: true },
  );

  /* -- copying ------------------------------------------------------------------------------------------------ */

  // The clipboard is there on https and on the machine itself only; the old way works on a plain address, too.
  function copyByHand(source) {
    const range = document.createRange();
    range.selectNodeContents(source);
    const selection = document.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    const copied = document.execCommand("copy");
    if (copied) {
      selection.removeAllRanges();
    }
    return copied;
  }

  async function copy(source) {
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(source.textContent);
      return true;
    }
    return copyByHand(source);
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) {
      return;
    }
    let copied = false;
    try {
      copied = await copy(document.querySelector(button.dataset.copy));
    } catch (error) {
      console.warn("Nothing was copied:", error);
    }
    button.textContent = copied ? "Copied" : "Select it by hand";
    setTimeout(() => {
      button.textContent = "Copy";
    }, 1500);
  });

  /* -- forms that are sent once --------------------------------------------------------------------------------- */

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-once]")) {
      return;
    }
    if (event.target.dataset.sent) {
      event.preventDefault();
      return;
    }
    event.target.dataset.sent = "yes";
  });

  // The browser keeps a page as it was left when one goes back to it.
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("[data-once]").forEach((form) => {
      delete form.dataset.sent;
    });
    tellAll();
  });

  document.addEventListener("htmx:afterSwap", tellAll);

  document.addEventListener("DOMContentLoaded", () => {
    tellAll();
    follow();
  });
})();
