// Reopen or close several tickets. The selected rows' own forms are sent one after another, so that each ticket changes
// as if its button had been pressed. Loaded by app.js when Select is first pressed.

// Load the style sheet before showing anything that needs it.
await new Promise((resolve, reject) => {
  const { style } = document.getElementById("bulk-select").dataset;
  document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: style, onload: resolve, onerror: reject }));
});

const MOST = 25;
const WAIT_SECONDS = 30; // when an answer says "slow down" but not for how long

// Each action by its name in its forms' addresses, and the names of its words in _bulk.html.
const WORDS = {
  reopen: { busy: "reopening", done: "reopened" },
  close: { busy: "closing", done: "closed" },
};

// By row id, because the row itself is replaced when its form is sent.
const selected = new Set();
const results = new Map(); // {words, outcome}; an outcome is "done", "unknown" or "failed"
let changed = []; // ids of rows that the last run changed, to undo it with the other button
let isSelecting = false;
let notice = ""; // what the bar says besides the number of selected tickets
let signInAddress = "";
let run = null;
let texts = null; // kept, because Back may lead to a page without the bar: an error page

const byId = (id) => document.getElementById(id);
const allRows = () => [...document.querySelectorAll(".ticket-row")];
const formOf = (row) => row?.querySelector("form.status-action");
const actionOf = (row) => formOf(row)?.action.match(/\/(reopen|close)\/(?:\?|$)/)?.[1];
const chosen = (action) => allRows().filter((row) => selected.has(row.id) && actionOf(row) === action);

function say(name, values = {}) {
  return texts[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

// On the screen

function render() {
  if (!byId("bulk")) return;
  texts = byId("bulk-words").dataset;
  const rows = allRows();
  const shown = new Set(rows.map((row) => row.id));
  // Nothing happens to a ticket that the agent does not see.
  for (const id of selected) if (!shown.has(id)) selected.delete(id);
  byId("list-pane").classList.toggle("selecting", isSelecting);
  for (const row of rows) isSelecting ? renderRow(row) : plain(row);
  renderBar();
}

function plain(row) {
  row.querySelector(".pick")?.remove();
  row.querySelector(".bulk-result")?.remove();
}

function renderRow(row) {
  if (!row.querySelector(".pick")) row.prepend(pickOf(row));
  const box = row.querySelector(".pick input");
  box.checked = selected.has(row.id);
  box.disabled = Boolean(run);
  renderResult(row, box);
}

function pickOf(row) {
  const pick = byId("bulk-words").content.firstElementChild.cloneNode(true);
  const number = row.querySelector(".number").textContent.replace("#", "");
  pick.firstElementChild.setAttribute("aria-label", say("pick", { number }));
  return pick;
}

function renderResult(row, box) {
  const result = results.get(row.id);
  let shown = row.querySelector(".bulk-result");
  if (!result) return shown?.remove();
  if (!shown) {
    shown = document.createElement("p");
    shown.id = `result-${row.id}`;
    row.append(shown);
    box.setAttribute("aria-describedby", shown.id);
  }
  shown.className = `bulk-result ${result.outcome}`;
  shown.textContent = result.words;
}

function renderBar() {
  const select = byId("bulk-select");
  select.disabled = Boolean(run);
  select.setAttribute("aria-pressed", isSelecting);
  byId("bulk").hidden = !isSelecting;
  byId("bulk-choices").hidden = Boolean(run);
  const leave = byId("bulk").querySelector("[data-bulk=leave]");
  leave.hidden = Boolean(run);
  leave.textContent = say(results.size ? "done" : "cancel");
  byId("bulk-run").hidden = !run;
  run ? renderRun() : renderChoices();
}

function renderChoices() {
  for (const action of Object.keys(WORDS)) {
    byId("bulk").querySelector(`[data-bulk=${action}]`).disabled = !chosen(action).length;
  }
  byId("bulk").querySelector("[data-bulk=again]").hidden = !changed.length;
  byId("bulk-sign-in").hidden = !signInAddress;
  if (signInAddress) byId("bulk-sign-in").href = signInAddress;
  const count = selected.size || !notice ? say("selected", { count: selected.size }) : "";
  speak([notice, count].filter(Boolean).join(" "));
}

function renderRun() {
  byId("bulk-progress").max = run.count;
  byId("bulk-progress").value = run.finished;
  byId("bulk-count").textContent = say("count", run);
  byId("bulk").querySelector("[data-bulk=stop]").disabled = isStopped();
  byId("bulk-wait").hidden = !run.seconds;
  byId("bulk-wait").textContent = run.seconds ? say("wait", run) : "";
  // The seconds are not part of what is read out, which would then be read every second.
  speak(isStopped() ? say("stopping") : run.seconds ? run.reason : say(WORDS[run.action].busy));
}

function speak(words) {
  if (byId("bulk-says").textContent !== words) byId("bulk-says").textContent = words;
}

// Selecting

export function toggleSelecting() {
  isSelecting = !isSelecting;
  byId("toasts").replaceChildren(); // they would cover the bar
  selected.clear();
  results.clear();
  changed = [];
  notice = signInAddress = "";
  render();
}

function pick(box) {
  const { id } = box.closest(".ticket-row");
  const isTooMany = box.checked && selected.size >= MOST;
  box.checked && !isTooMany ? selected.add(id) : selected.delete(id);
  notice = isTooMany ? say("most", { count: MOST }) : "";
  render();
}

function pickAgain() {
  selected.clear(); // drop what failed or was picked since
  for (const id of changed) selected.add(id);
  changed = [];
  notice = "";
  render();
  byId("bulk-says").focus({ preventScroll: true }); // the button has gone
}

// Running

const isStopped = () => run.stop.signal.aborted;

async function start(action) {
  const ids = chosen(action).map((row) => row.id);
  if (run || !ids.length) return;
  run = { action, count: ids.length, finished: 0, seconds: 0, stop: new AbortController() };
  results.clear();
  changed = [];
  signInAddress = "";
  byId("toasts").replaceChildren();
  for (const said of document.querySelectorAll("#alerts > :not(.unknown, .unsent)")) said.remove();
  addEventListener("beforeunload", askToStay);
  render();
  // The focus does not go to Stop, which a second press of Enter would press.
  byId("bulk-says").focus({ preventScroll: true });
  for (const id of ids) {
    if (isStopped()) break;
    await settle(id);
    render();
  }
  finish();
}

function finish() {
  const { count, finished, why } = run;
  const counts = countOutcomes();
  const wasHere = byId("bulk")?.contains(document.activeElement) || document.activeElement === document.body;
  run = null;
  notice = finished < count ? `${say(why)} ${counts}` : counts;
  removeEventListener("beforeunload", askToStay);
  render();
  if (wasHere) byId("bulk-says")?.focus({ preventScroll: true });
}

// A ticket whose form was not sent counts as not done.
function countOutcomes() {
  const outcomes = [...results.values()].map((result) => result.outcome);
  const [done, unknown] = ["done", "unknown"].map((each) => outcomes.filter((outcome) => outcome === each).length);
  const not = run.count - done - unknown;
  const parts = [say(WORDS[run.action].done, { count: done })];
  if (unknown) parts.push(say("unknown", { count: unknown }));
  if (not) parts.push(say("not", { count: not }));
  return `${parts.join(", ")}.`;
}

// Leaving the page would stop the run in the middle.
const askToStay = (event) => event.preventDefault();

// Send a row's form, and again after each wait that HostUp asks for.
async function settle(id) {
  while (!isStopped()) {
    const row = byId(id);
    if (actionOf(row) !== run.action) return note(id, say("moved"), "failed");
    const answer = await send(formOf(row));
    if (answer.signIn) {
      signInAddress = answer.signIn;
      return stop("signedOut");
    }
    if (answer.isExpired) return stop("expired");
    if (!answer.status) {
      const words = byId("unreachable").content.querySelector("h2").textContent;
      results.set(id, { words, outcome: "unknown" });
      return stop("unreachable");
    }
    if (answer.isChanged) changed.push(id);
    if (answer.status !== 429) return note(id, answer.words || say("failed"), answer.outcome);
    await wait(answer);
  }
}

function note(id, words, outcome) {
  results.set(id, { words, outcome });
  run.finished += 1;
  if (outcome === "done") selected.delete(id);
}

function stop(why = "stopped") {
  run.why = why;
  run.stop.abort();
  render();
}

async function wait(answer) {
  const endsAt = Date.now() + 1000 * answer.seconds;
  run.reason = answer.words;
  for (let left = endsAt - Date.now(); left > 0 && !isStopped(); left = endsAt - Date.now()) {
    run.seconds = Math.ceil(left / 1000);
    render();
    await pause(left % 1000 || 1000);
  }
  run.seconds = 0;
  render();
}

function pause(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
    run.stop.signal.addEventListener("abort", resolve);
  });
}

// Send a form as htmx does when its button is pressed, and return the outcome.
function send(form) {
  const answer = { status: 0, words: "", outcome: "", isChanged: false, seconds: WAIT_SECONDS, signIn: "", isExpired: false };
  const heard = new AbortController();
  return new Promise((resolve) => {
    // On the document, because htmx reports the end of a request there when the form itself has gone.
    const on = (name, listener) => {
      const ours = (event) => event.detail.ctx.sourceEvent.target === form && listener(event, event.detail.ctx);
      document.addEventListener(name, ours, { signal: heard.signal });
    };
    on("htmx:after:request", (event, ctx) => {
      answer.signIn = ctx.hx.redirect ?? "";
      if (answer.signIn) event.preventDefault(); // the agent can read why first
      answer.isExpired = ctx.hx.trigger === "page-expired";
      ctx.keepsFocus = !answer.isExpired; // if expired, the alert that says what to do takes it
    });
    // Not earlier: an answer that breaks off in the middle does not count.
    on("htmx:before:swap", (event, { response }) => {
      if (event.defaultPrevented) return; // nor does one that is not the dashboard's
      const { tasks } = event.detail;
      answer.status = response.status;
      answer.seconds = Number(response.headers.get("Retry-After")) || WAIT_SECONDS;
      answer.words = wordsIn(tasks);
      answer.outcome = outcomeOf(response.status, tasks);
      answer.isChanged = Boolean(findIn(tasks, ".toast form")); // otherwise it was so already
      if (answer.isExpired) return;
      // There is one summary at the end.
      const kept = tasks.filter((task) => !["toasts", "alerts"].includes(task.target?.id));
      tasks.splice(0, tasks.length, ...kept);
    });
    on("htmx:finally:request", () => {
      heard.abort();
      resolve(answer);
    });
    form.requestSubmit();
  });
}

const findIn = (tasks, selector) => tasks.map((task) => task.fragment.querySelector(selector)).find(Boolean);

// Return an error's heading, or else what the toast would have said, without the number, which is in the row.
function wordsIn(tasks) {
  return (findIn(tasks, ".failure h2") ?? findIn(tasks, ".toast .words")?.lastChild)?.textContent.trim() ?? "";
}

// After a server error the outcome is unknown, unless the dashboard's own alert says that nothing was changed (it is not
// .unknown).
function outcomeOf(status, tasks) {
  if (status < 400) return "done";
  return status >= 500 && !findIn(tasks, ".failure:not(.unknown)") ? "unknown" : "failed";
}

const CHOICES = {
  leave() {
    toggleSelecting();
    byId("bulk-select").focus();
  },
  reopen: () => start("reopen"),
  close: () => start("close"),
  again: pickAgain,
  stop: () => stop(),
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-bulk]");
  if (button) CHOICES[button.dataset.bulk]();
});
document.addEventListener("change", (event) => {
  if (event.target.matches(".pick input")) pick(event.target);
});
document.addEventListener("htmx:before:history:restore", () => run && stop());
// Before htmx settles, so that a redrawn row does not flicker, and after it has put back the classes that it animates.
document.addEventListener("htmx:before:settle", render);
document.addEventListener("htmx:after:swap", render);
