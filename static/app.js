// What HTML and htmx cannot do by themselves. The site works without it.

(() => {
  "use strict";

  const byId = (id) => document.getElementById(id);
  const page = (address) => address?.split("#")[0];

  // Times are shown in this browser's zone (see browser_time_zone in middleware.py). Temporal first: Intl takes 26 ms.
  const zone = globalThis.Temporal?.Now.timeZoneId() ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `timezone=${zone}; path=/; max-age=31536000; samesite=lax${secure}`;

  // Mark the row of the open ticket, and let the skip link lead past the list to that ticket.
  const openRowId = () => document.querySelector("article.ticket")?.id.replace("ticket-", "row-");
  function markOpenTicket() {
    const open = openRowId();
    document.querySelector(".skip-link").setAttribute("href", open ? "#ticket-pane" : "#main");
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

  let here; // the address of the page that is shown, for browsers without the Navigation API
  function refresh() {
    here = page(location.href);
    markOpenTicket();
    showCopyButtons();
    byId("bulk-select")?.removeAttribute("hidden");
  }

  refresh();
  document.addEventListener("htmx:after:swap", refresh);

  // An alert that the previous page had no time to show: writing.js has kept it.
  const unsent = `unsent by ${document.querySelector(".username")?.textContent}`;
  byId("alerts").insertAdjacentHTML("afterbegin", sessionStorage.getItem(unsent) ?? "");
  sessionStorage.removeItem(unsent);

  // Screen readers announce what is added to #toasts, not what is in it when the page loads: add that once more.
  const said = [...byId("toasts").children];
  setTimeout(() => byId("toasts").append(...said.filter((one) => one.isConnected && !one.matches(":focus-within"))), 500);

  // When Back or Forward fails to load its page, return to the history entry of the page that is shown, so that the address
  // names what is on the screen.
  let shown = window.navigation?.currentEntry;
  const show = () => (shown = window.navigation?.currentEntry);
  window.navigation?.addEventListener("currententrychange", ({ navigationType }) => navigationType !== "traverse" && show());
  addEventListener("hashchange", show);
  // The agent may have moved on by the time a page arrives.
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => (ctx.entry = window.navigation?.currentEntry));
  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => ctx.target === document.body && (shown = ctx.entry));
  document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
    if (shown && ctx?.target === document.body) navigation.traverseTo(shown.key);
  });

  // After Back, the focus goes to the ticket that was loaded, or else to the row of the one that was left.
  function focusPlace({ openId, target }) {
    if (target !== document.body || document.activeElement !== target) return;
    (document.querySelector(".ticket h1") ?? byId(openId)?.querySelector("a"))?.focus({ preventScroll: true });
  }
  document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => (ctx.openId = openRowId()));
  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => focusPlace(ctx));

  // Back loads the page again. Its list gets back its length and its scroll position, with the open row in view. (On a
  // phone the browser scrolls, but too early for a list of more than one page.)
  const rowCount = () => document.querySelectorAll(".ticket-row").length;
  let left = rowCount() ? null : { top: 0, rows: 0 }; // the list, as the agent left it
  let isComing = false; // the page is on its way: until it is there, a list that arrives belongs to the page before
  document.addEventListener("htmx:before:history:restore", (event) => {
    isComing = shown ? shown.key !== navigation.currentEntry.key : page(location.href) !== here;
    if (!isComing) {
      left = null;
      return event.preventDefault(); // the page is still on the screen
    }
    const link = document.querySelector(".ticket-row .subject a");
    if (!link) return;
    const isSame = link.search === location.search; // otherwise the list was filtered in between
    left ??= { top: byId("list-pane").scrollTop, rows: isSame ? rowCount() : 0 };
  });
  document.addEventListener("htmx:after:swap", async ({ detail: { ctx } }) => {
    isComing &&= ctx.target !== document.body;
    if (!left || isComing || !rowCount()) return;
    const { top, rows } = left;
    left = null;
    const at = byId("list-pane").scrollTop;
    let before = 0; // the number of rows when more were requested
    for (let more; before < rowCount() && rowCount() < rows && (more = document.querySelector(".more a")); ) {
      before = rowCount();
      await htmx.ajax("GET", more.href, { source: more, target: ".more", swap: "outerHTML", keepsFocus: true });
    }
    focusPlace(ctx);
    if (byId("list-pane")?.scrollTop !== at) return; // the agent has scrolled or moved on
    byId("list-pane").scrollTop = top;
    const open = document.querySelector(".ticket-row:has([aria-current])") ?? (before ? byId(ctx.openId) : null);
    open?.scrollIntoView({ block: "nearest" });
  });

  // "← Tickets" goes back in the history to the list that led to the ticket, past entries within the ticket. So
  // the list comes back with its full length.
  document.addEventListener("click", (event) => {
    const list = page(event.target.closest(".back")?.href);
    if (!list || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const row = byId(openRowId())?.querySelector("a");
    if (row?.checkVisibility()) {
      event.preventDefault();
      return row.focus(); // the list is beside the ticket
    }
    const before = window.navigation?.entries().slice(0, navigation.currentEntry.index) ?? [];
    const from = before.findLast(({ url }) => page(url) !== page(location.href));
    if (page(from?.url) !== list) return;
    event.preventDefault();
    navigation.traverseTo(from.key);
  });

  // An agent who comes back after a minute in another tab or window sees what is new (away.js).
  const AWAY = 60_000; // milliseconds
  let { away } = document.currentScript.dataset;
  let awaySince = document.hasFocus() ? 0 : Date.now(); // 0 while the agent is here
  const load = () => import(away).catch(() => void (away += "?")); // under another name next time, like bulk.js
  function leave() {
    awaySince ||= Date.now();
    load(); // while the network and this page's version of away.js are there
  }
  async function comeBack() {
    const isBack = awaySince && Date.now() - awaySince >= AWAY;
    awaySince = document.hasFocus() ? 0 : Date.now(); // a page that is in view may get the focus later
    const isListComing = document.querySelector("#tickets > .loading")?.checkVisibility(); // its first load
    if (isBack) (await load())?.lookForNews(isListComing);
  }
  addEventListener("visibilitychange", () => (document.hidden ? leave() : comeBack()));
  addEventListener("blur", leave);
  addEventListener("focus", comeBack);

  // The open ticket is not replaced while it is being read. It says so when the list has a newer version of it.
  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    if (ctx.target?.id !== "tickets") return;
    const ticket = document.querySelector(".ticket");
    const [there, here] = [`#row-${ticket?.id.replace("ticket-", "")}`, ".ticket-header"].map(
      (place) => document.querySelector(`${place} [name=updated_at]`)?.value,
    );
    if (there > here) ticket.querySelector(".outdated > *").hidden = false;
  });
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    // Filtering aborts a request for the first list, or a retry of it.
    if (ctx.sourceElement.id === "filters") {
      for (const first of document.querySelectorAll("#tickets, #tickets [hx-target='#tickets']")) htmx.trigger(first, "htmx:abort");
    }
    if (ctx.select) ctx.request.headers["HX-Request-Type"] = "partial"; // htmx would select from a whole page
  });
  document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    // An error has no ticket to select: it takes the whole pane, like an error on opening a ticket.
    if (ctx.response.status < 400 || !ctx.sourceElement.matches(".outdated a")) return;
    Object.assign(ctx, { target: byId("ticket-pane"), swap: "innerHTML", select: null });
  });

  const isOfStatus = ({ sourceElement }) => sourceElement.matches(".status-action");
  const isReply = ({ sourceElement }) => sourceElement.matches(".composer form");
  const isChange = (ctx) => isOfStatus(ctx) || isReply(ctx);
  const ticketOf = ({ request }) => request.action.split("/")[2]; // the ticket's id

  const forget = (selector) => document.querySelectorAll(selector).forEach((one) => one.remove());

  // Two kinds of alert stay until they are dismissed, or their ticket is changed or replied to: .unknown (nobody knows
  // whether it happened) and .unsent (a reply was not sent; only another reply removes it). bulk.js keeps them, too.
  const PASSING = "#alerts > :not(.unknown, .unsent)";
  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx, tasks } = event.detail;
    const says = (what) => tasks.some(({ fragment }) => fragment.querySelector(what));
    const id = isChange(ctx) && ticketOf(ctx);
    if (id && !says(".toast, .failure")) return refuse(event);
    if (says(".toast, .unknown")) {
      forget(`#alerts > ${isReply(ctx) ? "" : ":not(.unsent)"}:has([href^="/tickets/${id}/"])`);
      forget(`#toasts > :has([action^="/tickets/${id}/"])`); // they are about the state before
    }
    // An outcome names its ticket if that is not open. In select mode the ticket's row shows the outcome instead.
    const inRow = document.querySelector(`#row-${id}:not(:has(.pick)) .number`)?.textContent;
    const number = byId(`ticket-${id}`) ? "" : inRow ?? ctx.sourceElement.querySelector(".unsent-left")?.dataset.ticket;
    for (const task of tasks) {
      if (number) task.fragment.querySelector(".toast .words:not(:has(.number))")?.prepend(`${number} `); // it was left
      if (task.target?.id !== "alerts" || task.swapSpec?.style === "none") continue;
      forget(PASSING);
      byId("alerts").scrollTop = 0; // show the newest
      if (number && !isReply(ctx)) task.fragment.querySelector("h2")?.prepend(`${number}: `); // replies: writing.js
      task.swapSpec = "afterbegin";
    }
  });

  // Those alerts also stay when their ticket is left or Back replaces the page. Then they name the ticket.
  document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
    if (ctx.target !== document.body && ctx.target?.id !== "ticket-pane") return;
    const number = document.querySelector(".ticket .number")?.textContent;
    const left = document.querySelectorAll("#alerts > :is(.unknown, .unsent)");
    for (const title of document.querySelectorAll("#alerts > .unknown h2")) {
      if (number && !title.textContent.includes("#")) title.prepend(`${number}: `);
    }
    tasks[0]?.fragment.querySelector("#alerts")?.append(...left);
  });

  // Opening another ticket removes the other alerts, and the toasts that are not errors.
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    if (ctx.target?.id !== "ticket-pane" || ctx.isAgain) return;
    forget(`${PASSING}, #toasts > :not(.error)`);
  });

  // An answer does not take the focus from a field elsewhere. With `keepsFocus` it takes it from nothing that stays.
  document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
    const at = document.activeElement;
    const isElsewhere = at.matches("input, select, textarea") && !ctx.sourceElement.contains(at);
    if (!isElsewhere && !ctx.keepsFocus) return;
    for (const { target, fragment } of tasks) {
      if (target?.contains(at)) continue;
      for (const greedy of fragment.querySelectorAll("[autofocus]")) greedy.autofocus = false;
    }
  });

  // A ticket is changed from one place at a time: its row, the open ticket, or a toast or alert about it. A button in
  // another place that is pressed meanwhile sends nothing, and shows "Reopening…" until that change is over. hx-sync
  // takes care of the same button.
  const changing = new Map(); // id of a ticket -> the promise that its change is over
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    const id = isOfStatus(ctx) && ticketOf(ctx);
    const first = ctx.sourceEvent?.submitter && changing.get(id); // bulk.js submits without a button
    if (first) ctx.fetch = () => first.then(() => Promise.reject(new DOMException("", "AbortError")));
    if (first || !id) return;
    const change = new Promise((end) => (ctx.end = end));
    changing.set(id, change);
    change.then(() => changing.get(id) === change && changing.delete(id)); // unless a bulk run has replaced it
  });
  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => ctx.end?.());

  // Agents who close or reopen the ticket that they are reading, or show its latest version, keep their place: the
  // focus moves without scrolling, because what gets it may be out of view.
  document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
    if (!ctx.sourceElement.matches(".status-action, .outdated a")) return;
    ctx.changed = tasks.map(({ fragment }) => fragment.querySelector("[autofocus]")).find(Boolean);
    if (ctx.changed) ctx.changed.autofocus = false;
  });
  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => ctx.changed?.focus({ preventScroll: true }));

  // Opening a ticket also redraws its row, unless a change from that row is under way: its answer redraws the row.
  document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
    if (ctx.target?.id !== "ticket-pane") return;
    const early = tasks.findIndex(({ target }) => target?.matches(".ticket-row:has(.status-action.htmx-request)"));
    if (early !== -1) tasks.splice(early, 1);
  });

  // When a pressed link is swapped away with its surroundings, the focus moves to the next such link, or else to the first
  // ticket.
  document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
    ctx.ledOn = ctx.sourceElement.matches(".more a, .ways-on a, .subject a") && !ctx.keepsFocus;
  });
  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    const at = document.activeElement;
    if (!ctx.ledOn || (at !== document.body && at.checkVisibility())) return;
    const inView = (what) => [...document.querySelectorAll(what)].find((one) => one.checkVisibility());
    (inView(".pane .ways-on a") ?? inView(".subject"))?.focus();
  });

  // A list or ticket that was requested before a change and arrives after it may be out of date: request it again.
  let changes = 0;
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => (ctx.changes = changes));
  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    // htmx may have asked for the first list before this script ran.
    const { changes: before = 0, hx, isQuiet, push, request, sourceElement, swap, target } = ctx;
    if (event.defaultPrevented) return; // a list that away.js does not want any more
    if (request.method === "POST") {
      changes += isChange(ctx);
      // Back was pressed meanwhile: the new page has to show the outcome all the same.
      if (target?.isConnected === false) ctx.target = byId(target.id) ?? target;
    } else if (sourceElement.id === "filters") {
      // The ticket that is open beside the list may be another one by now.
      hx.pushurl &&= location.pathname + new URL(hx.pushurl, location).search;
    }
    if (request.method === "GET" && before < changes && target?.closest(".pane")) {
      event.preventDefault();
      const source = sourceElement.isConnected ? sourceElement : target; // a redrawn row is another element
      // Once this request is over.
      setTimeout(() => htmx.ajax("GET", request.action, { source, push, swap, target, isAgain: true, isQuiet }));
    }
  });

  // An answer that is not the dashboard's, such as the sign-in page of a proxy in front of it, counts as none. When Back
  // ends at our own sign-in page, load that page as a whole, with its styles and scripts.
  document.addEventListener("htmx:before:response", (event) => {
    const { request, response: { headers, raw }, target } = event.detail.ctx;
    const isElsewhere = raw.redirected && (request.method === "POST" || target === document.body);
    const isOurs = headers.has("X-Request-Id");
    if (isOurs && !isElsewhere) return;
    if (!isOurs || target !== document.body) return refuse(event);
    event.preventDefault();
    location.reload();
  });

  // Without an answer htmx swaps nothing, so tell the agent, until an answer comes. If a change may have been lost, the
  // alert stays even then.
  let leftAt = 0; // most browsers abort requests when the page is left, and some on a download, too
  addEventListener("beforeunload", () => (leftAt = Date.now()));
  function sayUnreachable(mayBeLost) {
    if (!mayBeLost && Date.now() - leftAt < 1000) return;
    const said = byId("unreachable").content.cloneNode(true).firstElementChild;
    said.classList.toggle("passing", !mayBeLost && !byId("alerts").querySelector(".unreachable:not(.passing)"));
    forget(PASSING);
    byId("alerts").prepend(said);
  }
  document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
    if (!ctx?.request || ctx.isQuiet) return;
    sayUnreachable(ctx.request.method === "POST" && !ctx.request.action.endsWith("/draft/"));
    const loading = ctx.target?.querySelector?.(":scope > .loading");
    if (loading) [loading.hidden, loading.nextElementSibling.hidden] = [true, false]; // show Retry instead
    if (ctx.sourceElement.id !== "filters") return;
    const chosen = new URL(location).searchParams; // the filters of the list that is still there
    for (const select of ctx.sourceElement.querySelectorAll("select")) select.value = chosen.get(select.name) ?? "";
  });
  document.addEventListener("htmx:after:request", () => forget("#alerts > .unreachable.passing"));
  function refuse(event) {
    event.preventDefault();
    document.dispatchEvent(new CustomEvent("htmx:error", { detail: event.detail }));
  }

  // A button that has just arrived ignores presses for a moment (app.css). Each press starts that moment anew.
  document.addEventListener("pointerdown", ({ target }) => {
    if (!target.matches(".status-action.arrived")) return;
    for (const guard of target.getAnimations({ subtree: true })) guard.currentTime = 0;
  });

  // After signing out, Back may show a page from the browser's memory. The server knows whether it may be shown.
  addEventListener("pageshow", (event) => event.persisted && location.reload());

  // Dismissing an alert or a toast removes the focused button, so the focus goes back to where it was in the content.
  let place = null;
  document.addEventListener("focusin", ({ target }) => target.closest("#main") && (place = target));
  document.addEventListener("click", (event) => {
    const said = event.target.closest("[data-dismiss]")?.closest(".toast, .failure");
    const hadFocus = said?.contains(document.activeElement);
    said?.remove();
    if (!hadFocus) return;
    place?.focus({ preventScroll: true });
    if (document.activeElement === document.body) byId("main").focus({ preventScroll: true });
  });

  // bulk.js is loaded once, because Back may bring a page that names another version of it. After a failure it is tried
  // again under another name, because some browsers remember what they could not load.
  let selecting = null;
  let again = "";
  let isLoading = false;
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("#bulk-select");
    if (!button || isLoading) return;
    isLoading = true;
    try {
      selecting ??= await import(button.dataset.script + again);
      forget("#alerts > .unreachable.passing");
      selecting.toggleSelecting();
    } catch {
      again += "?";
      // Gone after an upgrade: this page is from the version before.
      const answer = await fetch(button.dataset.script).catch(() => null);
      answer?.status === 404 ? location.reload() : sayUnreachable();
    }
    isLoading = false;
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    if (button.textContent === button.dataset.copied) return;
    const words = button.textContent;
    button.textContent = button.dataset.copied;
    setTimeout(() => (button.textContent = words), 1500);
  });
})();
