// Show what is new to an agent who comes back after a while. The list is refreshed, unless it is busy, in select mode,
// or longer than its first page. If the list does not tell whether the open ticket has changed, the ticket is fetched,
// and a note beside it says so if it has. A failure is not reported: what is on the screen stays.

const PAGE = 50; // tickets, as many as the server asks HostUp for
const FRAGMENT = { "HX-Request": "true", "HX-Request-Type": "partial" };
const byId = (id) => document.getElementById(id);

// `isComing` tells whether the list was loading anyway when the agent came back.
export async function lookForNews(isComing) {
  const [source, list] = [byId("list-heading"), isComing ? null : listAtRest()];
  if (list) await htmx.ajax("GET", list, { source, target: "#tickets", swap: "innerMorph", isQuiet: true });
  const ticket = document.querySelector(".ticket");
  if (ticket && !(list ? rowOf(ticket) : isComing)) await lookAt(ticket);
}

const rowOf = (ticket) => byId(ticket.id.replace("ticket-", "row-"));

function listAtRest() {
  // Not counted as busy: the heading, which makes this request, and opening a ticket, which does not change the list.
  const busy = ".selecting, #tickets > .loading:not([hidden]), #list-pane .htmx-request:not(#list-heading, [hx-target='#ticket-pane'])";
  const count = document.querySelectorAll(".ticket-row").length;
  if (!byId("tickets")?.checkVisibility() || count > PAGE || document.querySelector(busy)) return null;
  const filters = byId("filters");
  const chosen = new URLSearchParams([...new FormData(filters)].filter(([, value]) => value));
  return filters.getAttribute("action") + (chosen.size ? `?${chosen}` : "");
}

// A phone shows no list beside the ticket, and a filtered list may no longer have the ticket's row.
async function lookAt(ticket) {
  const link = ticket.querySelector(".outdated a");
  const answer = await fetch(link.href, { headers: FRAGMENT }).catch(() => null);
  const [, there] = /name="updated_at" value="(\d+)"/.exec(answer?.ok ? await answer.text() : "") ?? [];
  if (there > ticket.querySelector("[name=updated_at]").value) link.parentElement.hidden = false;
}

// In the capture phase, so before app.js, which ignores an answer that is prevented here.
document.addEventListener("htmx:after:request", (event) => {
  const { hx, isQuiet, request, response: { raw, status } } = event.detail.ctx;
  if (!isQuiet || request.method !== "GET") return;
  // The press that brought the focus back may have started something, or asked for another list.
  if (status >= 400 || hx.redirect || raw.redirected || listAtRest() !== request.action) event.preventDefault();
}, true);

const places = () => [...document.querySelectorAll(".ticket-row")].map((row) => {
  const change = row.querySelector(".status-action");
  return [change, change.getBoundingClientRect().top + change.action];
});
document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
  if (ctx.swap !== "innerMorph") return;
  ctx.places = new Map(places());
  // A row whose ticket is loading keeps showing that in a list that arrives meanwhile.
  const link = document.querySelector(".subject .htmx-request");
  for (const { fragment } of tasks) fragment.querySelector(`[href="${link?.getAttribute("href")}"]`)?.classList.add("htmx-request");
});
// A button that has moved or changed ignores presses for a moment: they may be meant for what was there before.
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  for (const [change, place] of ctx.places ? places() : []) {
    if (ctx.places.get(change) !== place) change.classList.add("arrived");
  }
});
