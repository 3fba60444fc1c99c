/*
The dashboard looks again: each panel as often as its data-every says, none while the page is hidden, all at once when
it is shown again. Buttons tell what came of them; a silent server is told of.
*/
"use strict";

(() => {
  const SECOND = 1000;
  const board = document.querySelector(".board");
  const live = document.getElementById("board-live");
  const told = document.getElementById("board-told");
  const looked = new Map();
  let forget = 0;

  const panels = () => board.querySelectorAll("[data-every]");

  function look(panel) {
    looked.set(panel.id, Date.now());
    htmx.trigger(panel, "look");
  }

  function lookAll() {
    panels().forEach(look);
  }

  function lookAgain() {
    if (document.hidden) {
      return;
    }
    const now = Date.now();
    for (const panel of panels()) {
      if (!looked.has(panel.id)) {
        looked.set(panel.id, now);
      } else if (now - looked.get(panel.id) >= Number(panel.dataset.every) * SECOND) {
        look(panel);
      }
    }
  }

  function tell(level, text) {
    told.textContent = text;
    told.dataset.level = level;
    clearTimeout(forget);
    forget = setTimeout(() => {
      told.textContent = "";
    }, 8 * SECOND);
  }

  function answered() {
    if (live.textContent) {
      live.textContent = "";
    }
  }

  function unanswered() {
    live.textContent = live.dataset.lost;
  }

  document.addEventListener("visibilitychange", () => document.hidden || lookAll());
  document.body.addEventListener("told", (event) => {
    tell(event.detail.level, event.detail.text);
    lookAll();
  });
  document.body.addEventListener("htmx:afterRequest", (event) => event.detail.successful && answered());
  document.body.addEventListener("htmx:sendError", unanswered);
  document.body.addEventListener("htmx:timeout", unanswered);
  document.body.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status === 403) {
      tell("bad", "You may not do that.");
    } else {
      unanswered();
    }
  });
  setInterval(lookAgain, SECOND);
})();
