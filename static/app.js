// The few things that HTML and htmx cannot say. Everything here is an addition: the site works without it.

(() => {
  "use strict";

  const LOADED = "htmx:after:swap";
  const byId = (id) => document.getElementById(id);

  // Times show in the zone of this browser (see browser_time_zone in middleware.py).
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `timezone=${zone}; path=/; max-age=31536000; samesite=lax${secure}`;

  // The row of the ticket that stands open beside the list.
  function markOpenTicket() {
    const open = document.querySelector("article.ticket")?.id.replace("ticket-", "row-");
    for (const row of document.querySelectorAll(".ticket-row")) {
      const link = row.querySelector(".subject a");
      row.id === open ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
    }
  }

  // Browsers let pages copy only over https and on loopback.
  function showCopyButtons() {
    if (!navigator.clipboard) return;
    for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
  }

  function refresh() {
    markOpenTicket();
    showCopyButtons();
  }

  document.addEventListener("DOMContentLoaded", refresh);
  document.addEventListener(LOADED, (event) => {
    // Another ticket: what was said about the last one is no longer about what is on the screen.
    if (event.detail.ctx?.target?.id === "ticket-pane") {
      byId("alerts").replaceChildren();
      byId("toasts").replaceChildren();
    }
    refresh();
  });

  // No answer at all: htmx swaps nothing, so the agent has to be told.
  document.addEventListener("htmx:error", (event) => {
    if (!event.detail.ctx?.request) return;
    byId("alerts").replaceChildren(byId("unreachable").content.cloneNode(true));
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    const words = button.textContent;
    button.textContent = button.dataset.copied;
    setTimeout(() => (button.textContent = words), 1500);
  });
})();
