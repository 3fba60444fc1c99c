/* The form of a periodic task of django-celery-beat: says in words when the chosen crontab is due. */
"use strict";

(() => {
  const words = JSON.parse(document.getElementById("readable-crontabs").textContent);
  const choice = document.getElementById("id_crontab");
  const row = document.querySelector(".field-crontab");
  for (const repeated of document.querySelectorAll(".field-crontab_translation")) {
    repeated.hidden = true;
  }
  if (!choice || !row) {
    return;
  }
  const told = document.createElement("p");
  told.className = "pr-subtle pr-small";
  told.setAttribute("aria-live", "polite");
  choice.closest("div").after(told);

  function tell() {
    told.textContent = words[choice.value] || "";
  }

  choice.addEventListener("change", tell);
  tell();
})();
