// The pages work without this. With it times are in the reader's own zone, and the parts of a page are shown anew when they change.
"use strict";
(() => {
  const zone = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  const localTimes = (within) => {
    for (const time of within.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      if (!Number.isNaN(at.getTime())) {
        time.title = time.dateTime;
        time.textContent = zone.format(at);
      }
    }
  };
  // What only works with a script is not shown without one.
  const withScript = (within) => {
    for (const all of within.querySelectorAll("[data-all]")) all.hidden = false;
  };
  localTimes(document);
  withScript(document);

  // A part in which somebody is at work stays as it is until they are done.
  const busy = (part) =>
    part.querySelector("input:checked, details[open]") !== null ||
    (part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea"));

  const show = (part, html) => {
    if (busy(part)) return;
    const at = part.contains(document.activeElement) ? focusPath(part) : null;
    part.innerHTML = html;
    localTimes(part);
    withScript(part);
    if (at !== null) part.querySelectorAll("a, button")[at]?.focus();
  };
  const focusPath = (part) => {
    const place = [...part.querySelectorAll("a, button")].indexOf(document.activeElement);
    return place < 0 ? null : place;
  };

  const parts = document.querySelectorAll("[data-part]");
  const live = (on) => document.documentElement.classList.toggle("live", on);
  let source = null;
  let pause = 1000;
  const listen = () => {
    source = new EventSource(location.href);
    source.onopen = () => { pause = 1000; live(true); };
    source.onerror = () => {
      live(false);
      if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
      source = null;
      setTimeout(listen, pause);
      pause = Math.min(pause * 2, 60000);
    };
    for (const part of parts) {
      source.addEventListener(part.dataset.part, (event) => {
        if (part.dataset.part === "problem") {
          part.textContent = event.data;
          part.hidden = event.data === "";
        } else {
          show(part, event.data);
        }
      });
    }
  };
  if (parts.length > 1) listen();
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => { if (event.persisted && parts.length > 1) listen(); });

  document.addEventListener("change", (event) => {
    const all = event.target;
    if (!all.dataset.all) return;
    for (const one of document.querySelectorAll(`input[name="${all.dataset.all}"]`)) one.checked = all.checked;
  });
})();
