/*
On every page: htmx without what a strict Content-Security-Policy forbids, switches for the keyboard, and times that
tell how long it is.

Unfold's switches that only a mouse can reach (the menu, the theme, the person) become buttons for the keyboard.

<time data-ago datetime="..."> reads "3 min ago", <time data-until datetime="..."> "in 3 min"; the moment itself
becomes the tooltip. Both tick by themselves, also in what htmx brings later.
*/
"use strict";

(() => {
  if (window.htmx) {
    htmx.config.allowEval = false;
    htmx.config.allowScriptTags = false;
    htmx.config.includeIndicatorStyles = false;
    htmx.config.selfRequestsOnly = true;
  }

  const ICON = ".material-symbols-outlined";
  const NAMES = { dock_to_right: "Menu", light_mode: "Theme", dark_mode: "Theme", computer: "Theme", more_vert: "More" };

  /* What is written on it is an icon's name only: then that, in words, is its own. */
  function named(element) {
    const icons = element.matches(ICON) ? [element] : [...element.querySelectorAll(ICON)];
    const written = icons.reduce((text, icon) => text.replace(icon.textContent, ""), element.textContent);
    if (icons.length && !written.trim() && !element.ariaLabel && !element.title) {
      const icon = icons[0].textContent.trim();
      element.setAttribute("aria-label", NAMES[icon] || icon.replaceAll("_", " "));
    }
  }

  function reachable(element) {
    element.tabIndex = 0;
    element.setAttribute("role", "button");
    element.addEventListener("keydown", (event) => {
      if (event.target === element && (event.key === "Enter" || event.key === " ")) {
        event.preventDefault();
        element.click();
      }
    });
  }

  function reachAll() {
    for (const element of document.querySelectorAll("[x-on\\:click]:not(button, input, label, [href], [tabindex])")) {
      reachable(element);
    }
    document.querySelectorAll("button, [role=button], a[href]").forEach(named);
    for (const field of document.querySelectorAll("input.vDateField, input.vTimeField")) {
      field.ariaLabel ||= field.classList.contains("vDateField") ? "Date" : "Time";
    }
    for (const icon of document.querySelectorAll(`${ICON}:not([role])`)) {
      icon.setAttribute("aria-hidden", "true");
    }
  }

  const SECOND = 1000;
  const UNITS = [
    [172800, 86400, "d"],
    [7200, 3600, "h"],
    [120, 60, "min"],
    [0, 1, "s"],
  ];

  function span(seconds) {
    const [, unit, name] = UNITS.find(([least]) => seconds >= least);
    return `${Math.floor(seconds / unit)} ${name}`;
  }

  function clock(seconds) {
    const two = (number) => String(number).padStart(2, "0");
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
    return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(Math.floor(seconds % 60))}`;
  }

  function told(element, now) {
    const seconds = (Date.parse(element.dateTime) - now) / SECOND;
    if (Number.isNaN(seconds)) {
      return element.textContent;
    }
    if (element.hasAttribute("data-for")) {
      return clock(Math.max(0, -seconds));
    }
    if (element.hasAttribute("data-ago")) {
      return seconds > -5 ? "just now" : `${span(-seconds)} ago`;
    }
    if (seconds <= 0) {
      return "now";
    }
    return seconds < 3600 ? `in ${clock(seconds)}` : `in ${span(seconds)}`;
  }

  function tick() {
    const now = Date.now();
    for (const element of document.querySelectorAll("time[data-ago], time[data-until], time[data-for]")) {
      const text = told(element, now);
      if (!element.title) {
        element.title = element.textContent.trim();
      }
      if (element.textContent !== text) {
        element.textContent = text;
      }
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    reachAll();
    tick();
  });
  // Django's boxes for choosing many, which it makes when all is loaded, name what has no role to be named.
  function nameTips() {
    document.querySelectorAll("span.help-tooltip[aria-label]:not([role])").forEach((tip) => {
      tip.setAttribute("role", "img");
    });
  }

  window.addEventListener("load", () => setTimeout(nameTips));

  document.addEventListener("htmx:afterSwap", tick);
  document.addEventListener("visibilitychange", () => document.hidden || tick());
  setInterval(() => document.hidden || tick(), SECOND);
})();
