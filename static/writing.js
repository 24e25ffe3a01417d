// Replies and new tickets while they are being written: no text is lost, and files are uploaded first.

(() => {
  "use strict";

  // Each reply box that htmx fetches brings this script along, after an upgrade even another version of it.
  if (window.isWritingWatched) return;
  window.isWritingWatched = true;

  const byId = (id) => document.getElementById(id);

  // Text is saved while it is typed, again after a failed attempt, and at the latest when its page is left or replaced.
  const FORMS = ".composer form, #create form";
  const TRY_AGAIN = 5000; // milliseconds
  const typed = new WeakMap(); // form -> the turn of the last input in it
  let turn = Date.now(); // counts inputs; from the clock, so that it goes on when the same form is loaded again
  const sending = new WeakMap(); // form -> htmx's context of the request that saves its draft
  const isDraft = ({ request }) => request.action.endsWith("/draft/");
  let isQuiet = false; // true while trying again: the first failure has been reported
  const failed = new WeakMap(); // form -> the turn that could not be saved, which is reported once
  let tryingAgain;

  document.addEventListener("input", ({ target }) => {
    const form = target.closest(FORMS);
    if (!form || target.type === "file") return;
    typed.set(form, ++turn);
    form.classList.add("unsaved"); // this also hides the hint that it is saved
    form.querySelector(".fields .failure.todo")?.remove(); // it is about the text before this input
  });

  function save(form) {
    if (form.matches(".unsaved")) form.querySelector("textarea").dispatchEvent(new Event("change", { bubbles: true }));
  }
  const saveAll = () => document.querySelectorAll("form.unsaved").forEach(save);
  function saveAgain() {
    isQuiet = true;
    saveAll();
    isQuiet = false;
  }
  addEventListener("beforeunload", saveAll);
  addEventListener("visibilitychange", saveAll);
  addEventListener("online", saveAgain);
  addEventListener("htmx:before:cleanup", ({ target }) => {
    if (!target.matches?.(FORMS)) return;
    keep(target); // until it is saved
    save(target);
  });

  addEventListener("htmx:config:request", (event) => {
    const { ctx } = event.detail;
    if (!isDraft(ctx)) return;
    const { form } = ctx.request;
    ctx.typed = typed.get(form);
    ctx.isQuiet = isQuiet || failed.get(form) === ctx.typed;
    const isNeedless = !form.matches(".unsaved") || sending.get(form)?.typed === ctx.typed;
    isNeedless ? event.preventDefault() : sending.set(form, ctx);
  });
  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    if (isDraft(ctx) && ctx.isQuiet && ctx.response.status >= 400) event.preventDefault();
  });
  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    const { form } = ctx.request;
    if (!isDraft(ctx) || sending.get(form) !== ctx) return;
    sending.delete(form);
    const isAnswered = ctx.text !== undefined && !ctx.response.raw.redirected; // in full, and not by another page
    const status = isAnswered ? ctx.response.status : 0;
    if (status && status < 400 && ctx.typed === typed.get(form)) form.classList.remove("unsaved");
    if (status && status < 400) markRow(form.closest(".composer"), ctx.text !== "");
    if (status && status < 500) return;
    failed.set(form, ctx.typed);
    clearTimeout(tryingAgain);
    tryingAgain = setTimeout(saveAgain, TRY_AGAIN);
  });

  // Mark the ticket's row as having a draft or not, as a list that is loaded now would.
  function markRow(composer, hasDraft) {
    const row = byId(composer?.id.replace("composer", "row"));
    row?.querySelector(".draft")?.remove();
    if (hasDraft) row?.querySelector(".number").after(composer.querySelector(".draft-mark").content.cloneNode(true));
  }

  // Ctrl+Enter, or ⌘+Enter on a Mac, presses the form's button.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !event.target.matches("textarea")) return;
    event.target.closest(FORMS)?.querySelector("button.primary").click();
  });

  // While a form is being sent, its fields and files cannot be changed: what is typed or chosen then would be lost.
  const standStill = (still) => ({ detail: { ctx } }) => {
    if (!ctx.sourceElement.matches(FORMS)) return;
    for (const text of ctx.sourceElement.querySelectorAll("input, textarea")) text.readOnly = still;
    for (const choice of ctx.sourceElement.querySelectorAll("select, .check")) choice.inert = still;
    for (const part of ctx.sourceElement.querySelectorAll(".attach-input, .upload button")) part.disabled = still;
  };
  document.addEventListener("htmx:before:request", standStill(true));
  document.addEventListener("htmx:finally:request", standStill(false));

  // Messages and pictures are drawn a little after they come into view, and taller than estimated. Keep the focused
  // reply box, or the reason why the reply was not sent, in view until the agent scrolls, presses or types.
  const growth = new ResizeObserver(() => {
    document.activeElement.closest(".composer[autofocus], .composer [autofocus]")?.scrollIntoView({ block: "nearest" });
  });
  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    const thread = document.querySelector(".thread");
    if (thread && ctx.sourceElement.matches(".composer form")) growth.observe(thread);
  });
  for (const move of ["wheel", "touchmove", "pointerdown", "keydown"]) addEventListener(move, () => growth.disconnect());

  // If the ticket is left while its reply is being sent, an alert still says why it was not, or may not have been.
  document.addEventListener("htmx:before:swap", ({ detail: { ctx: { sourceElement: form }, tasks } }) => {
    if (!form.matches(".composer form") || form.isConnected) return;
    const failure = tasks.map(({ fragment }) => fragment.querySelector(".failure")).find(Boolean);
    const left = form.querySelector(".unsent-left");
    if (!failure || !left) return;
    failure.classList.add("unsent");
    failure.querySelector("h2").prepend(`${left.dataset.ticket}: `);
    // "View ticket" replaces a "Reload the ticket", which is meant for the open ticket.
    const waysOn = left.content.querySelector(".ways-on").cloneNode(true);
    failure.querySelector(`.ways-on:has([href="${waysOn.firstChild.getAttribute("href")}"])`)?.remove();
    failure.append(waysOn);
    byId("alerts").prepend(failure);
  });

  // An agent may be signed out in the middle of a sentence, sign in again in another tab, or be asked for a second step
  // first. This tab keeps their unsaved text until they are back and the form is shown again, or until the text has
  // been sent or saved after all. It does not keep an encrypted reply, which must not be stored in clear: the
  // server's draft has all but its last second.
  const textsOf = (form) => form.querySelectorAll("textarea, [type=text]");
  const username = () => document.querySelector(".username")?.textContent;
  const stashName = (text) => `written by ${username()}: ${text.id}`;
  function stash(...left) {
    for (const form of [...document.querySelectorAll(FORMS), ...left]) {
      form.ariaBusy = null; // so that leaving the page does not ask
      keep(form);
    }
  }
  function keep(form) {
    if (!form.matches(".unsaved")) return;
    unstash(form);
    if (form.encrypted?.checked) return;
    for (const text of textsOf(form)) text.value && sessionStorage.setItem(stashName(text), text.value);
  }
  const unstash = (form) => textsOf(form).forEach((text) => sessionStorage.removeItem(stashName(text)));

  // After the agent has signed in again in another tab, give this page's forms the current token, unless it is another
  // agent's, or the refused token was itself such a renewed one.
  const renewed = new Set(); // tokens, since a form was last accepted
  function renew(old, header) {
    const [token, agent] = [header("X-CSRF-Token"), header("X-Agent")];
    if (!token || renewed.has(old) || decodeURIComponent(agent) !== username()) return false;
    renewed.add(token);
    for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = token;
    return true;
  }

  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    const { redirect, trigger } = ctx.hx;
    const sent = [ctx.request.form].filter((form) => form?.matches(FORMS));
    const again = isDraft(ctx) ? ctx.request.form : ctx.sourceEvent?.submitter;
    if (trigger === "page-expired" && sent.length && again?.isConnected) {
      ctx.isRenewed = renew(ctx.request.body.get("csrfmiddlewaretoken"), (name) => ctx.response.headers.get(name));
      if (ctx.isRenewed) return event.preventDefault();
    }
    if (trigger === "page-expired" && isDraft(ctx) && !ctx.request.form.matches(".unsaved")) {
      return event.preventDefault(); // its text has been sent meanwhile
    }
    if (redirect?.startsWith("/accounts/") || trigger === "page-expired") return stash(...sent);
    const isTaken = ctx.response.status < 400;
    if (isTaken && sent.length) renewed.clear();
    if (isTaken && !isDraft(ctx)) sent.forEach((form) => form.classList.remove("unsaved"));
    if (isTaken || !isDraft(ctx)) sent.forEach(unstash);
  });
  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    const { form } = ctx.request;
    // Once this request is over.
    if (ctx.isRenewed) setTimeout(() => (isDraft(ctx) ? save(form) : form.requestSubmit(ctx.sourceEvent.submitter)));
  });

  const shown = new WeakSet(); // text fields that show what was kept, or what was written since
  function restore() {
    for (const text of [...document.querySelectorAll(FORMS)].flatMap((form) => [...textsOf(form)])) {
      const stashed = shown.has(text) ? null : sessionStorage.getItem(stashName(text));
      shown.add(text);
      if (stashed === null) continue;
      sessionStorage.removeItem(stashName(text));
      text.value = stashed;
      text.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
  setTimeout(restore); // htmx starts in a timeout, too
  document.addEventListener("htmx:after:swap", restore);

  addEventListener("htmx:config:request", ({ detail: { ctx: { request, sourceElement } } }) => {
    // A form with files may take as long as the line needs. The server drops a connection that stalls (worker.py).
    if (request.body.has("reopen") && uploadsOf(request.form).size && isWritten(request.form)) {
      request.body.delete("files"); // the empty field's entry
      for (const { file } of uploadsOf(request.form)) request.body.append("files", file);
      request.timeout = 0;
    }
    // Requests can overtake each other, and a draft may still be on its way when the form is sent: number them.
    if (request.body.has("token")) request.body.set("turn", typed.get(request.form) ?? turn);
    // Wherever a ticket is closed or reopened, the request says how much of its thread is on the screen.
    if (!sourceElement.matches(".status-action")) return;
    const changed = request.action.split("/")[2];
    for (const seen of document.querySelectorAll(`#composer-state-${changed} :is([name=seen_count], [name=seen_thread])`)) {
      request.body.set(seen.name, seen.value);
    }
  });

  // Files are uploaded one by one before the text, so that one that fails can be retried alone. (Without JavaScript,
  // and when the ticket has to be reopened first, they are sent with the form.)
  const waiting = new WeakMap(); // form -> its uploads that are not done
  let stopped = null; // the form whose upload the browser has just aborted
  const uploadsOf = (form) => waiting.get(form) ?? waiting.set(form, new Set()).get(form);
  const isWritten = (form) => form.message.value.trim(); // if not, the server says so, and files wait

  function addUpload(input, file) {
    const form = input.form;
    const row = form.querySelector(".upload-row").content.firstElementChild.cloneNode(true);
    const part = (name) => row.querySelector(`.upload-${name}`);
    // When a focused button goes, the focus moves on to the next file's button, or else to the file field.
    const isFocused = (name) => part(name) === document.activeElement;
    const focusNext = () => (row.nextElementSibling?.querySelector("button:not([hidden])") ?? input).focus();
    const progress = row.querySelector("progress");
    part("name").textContent = file.name;
    // In the limit's unit (2^20 bytes) and rounded up, so that a file shows as more than the limit if, and only if, it is.
    const megabytes = (Math.ceil((10 * file.size) / 2 ** 20) / 10).toLocaleString(document.documentElement.lang);
    part("size").textContent = file.size < 2 ** 20 ? `${Math.ceil(file.size / 2 ** 10)} kB` : `${megabytes} MB`;
    const upload = {
      file,
      row,
      remind: () => {
        row.scrollIntoView({ block: "center" });
        part("state").replaceChildren(...part("state").childNodes); // screen readers read an alert when it is added
        part("remove").focus();
      },
      isSendable: file.size <= Number(input.dataset.mostBytes),
      // Sends the file once, even if called again meanwhile. After a failure, it can be sent again.
      send: () => upload.sending ??= new Promise((resolve) => {
        stopped = null;
        const request = new XMLHttpRequest(); // fetch does not report an upload's progress
        const data = new FormData();
        data.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
        data.set("file", file);
        const end = (isDone, html) => {
          if (!isDone) upload.sending = null;
          const isRefused = request.status === 422; // it would be refused again
          part("state").innerHTML = html;
          // A file that may be attached already is not sent again with the reply: that is for the agent to decide.
          upload.isSendable = !isRefused && !part("state").querySelector(".unknown");
          progress.hidden = isRefused;
          part("again").hidden = isDone || isRefused;
          part("remove").hidden = false;
          if (isDone) uploadsOf(form).delete(upload);
          if (isDone && isFocused("remove")) focusNext();
          if (isDone) part("remove").remove();
          resolve(isDone);
        };
        request.upload.onprogress = (event) => (progress.value = event.loaded / event.total);
        request.onload = () => {
          const moved = request.getResponseHeader("HX-Redirect");
          const isMoved = request.responseURL !== new URL(input.dataset.upload, location).href;
          const isOurs = request.getResponseHeader("X-Request-Id"); // not a proxy's in front of us
          if (isMoved || !isOurs) return request.onerror();
          const isWanted = form.isConnected && uploadsOf(form).has(upload);
          if (isWanted && renew(data.get("csrfmiddlewaretoken"), (name) => request.getResponseHeader(name))) {
            upload.sending = null;
            return resolve(upload.send());
          }
          if (!moved) return end(request.status === 200, request.responseText);
          stash();
          location.href = moved;
        };
        // Browsers abort an upload when its page is left, some of them before that and also on a download.
        request.onabort = request.onerror = () => {
          if (form.ariaBusy === "true" && uploadsOf(form).has(upload)) {
            stopped = form;
            setTimeout(() => (stopped = null), 10_000); // the page was not left, and shows the failure itself
          }
          end(false, part("unreachable").textContent);
        };
        request.open("POST", input.dataset.upload);
        for (const [name, value] of [["HX-Request", "true"], ["HX-Request-Type", "partial"], ["HX-Current-URL", location.href]]) {
          request.setRequestHeader(name, value);
        }
        upload.isSendable = true;
        part("again").hidden = true;
        progress.value = 0;
        uploadsOf(form).add(upload);
        upload.request = request;
        upload.leave = () => resolve(false);
        request.send(data);
      }),
    };
    // A file that is fully uploaded is waited for, because HostUp may have it. Browsers report that a moment late.
    upload.stop = () => setTimeout(() => progress.value < 1 && upload.request?.abort(), 1000);
    part("again").onclick = () => {
      if (isFocused("again")) part("remove").focus();
      upload.send();
    };
    part("remove").onclick = () => {
      if (isFocused("remove")) focusNext();
      uploadsOf(form).delete(upload);
      if (!upload.sending) return row.remove();
      part("remove").hidden = progress.hidden = true;
      upload.leave(); // stops a reply that waits for this file: pressing again sends it without
      progress.value < 1 ? setTimeout(takeAway, 1000) : takeAway();
    };
    function takeAway() {
      if (upload.request.readyState === XMLHttpRequest.DONE) return;
      if (progress.value === 1) return (part("state").innerHTML = part("under-way").innerHTML); // until it is answered
      upload.request.abort();
      row.remove();
    }
    progress.hidden = !upload.isSendable;
    if (!upload.isSendable) part("state").innerHTML = part("too-large").innerHTML;
    uploadsOf(form).add(upload);
    form.querySelector(".uploads").append(row);
  }

  function takeFiles(input) {
    for (const file of input.files) addUpload(input, file);
    input.value = "";
  }
  document.addEventListener("change", ({ target }) => target.matches(".attach-input") && takeFiles(target));

  // Files that were attached although their reply was not sent are not sent with it again.
  document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
    const said = tasks.map(({ fragment }) => fragment.querySelector("[data-attached]")).find(Boolean);
    if (!said) return;
    const uploads = uploadsOf(ctx.request.form);
    for (const upload of [...uploads].slice(0, said.dataset.attached)) {
      uploads.delete(upload);
      upload.row.remove();
    }
  });

  // The ticket was left, or closed or reopened, while the reply's files were being uploaded.
  function sayUnsent(form, isLeft = !form.isConnected) {
    const alert = form.querySelector(isLeft ? ".unsent-left" : ".unsent-changed").content.cloneNode(true);
    const missing = [...uploadsOf(form)].filter((upload) => upload.isSendable).map(({ file }) => file.name);
    const words = alert.querySelector(".missing");
    missing.length ? words?.append(` ${missing.join(", ")}`) : words?.remove();
    byId("alerts").prepend(alert);
  }

  const underWay = () => document.querySelector(".composer [aria-busy]");
  addEventListener("beforeunload", (event) => underWay() && event.preventDefault());
  // iPhones do not ask before a page is left: the next page shows the alert (app.js).
  addEventListener("pagehide", () => {
    const form = underWay() ?? stopped;
    if (!form?.isConnected) return;
    sayUnsent(form, true);
    sessionStorage.setItem(`unsent by ${username()}`, byId("alerts").firstElementChild.outerHTML);
  });

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches(".composer form")) return;
    byId("toasts").replaceChildren(); // they are about the previous reply
    stopped = null;
    takeFiles(form.querySelector(".attach-input")); // chosen before this script was loaded
    const uploads = [...uploadsOf(form)];
    const refused = uploads.find((upload) => !upload.isSendable);
    const isReopening = event.submitter.name === "reopen";
    const first = refused ? [refused] : uploads.filter((upload) => !isReopening || upload.sending);
    if (!first.length || !isWritten(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (form.ariaBusy === "true") return;
    form.ariaBusy = "true";
    const stopIfLeft = () => form.isConnected || uploadsOf(form).forEach((upload) => upload.stop());
    addEventListener("htmx:after:swap", stopIfLeft);
    let areUp = true;
    for (const upload of first) {
      areUp = upload.isSendable && (await upload.send()) && event.submitter.isConnected;
      if (areUp) continue;
      if (!upload.isSendable) upload.remind();
      break; // failed or removed: the agent decides what to send now
    }
    removeEventListener("htmx:after:swap", stopIfLeft);
    form.ariaBusy = null;
    if (areUp) form.requestSubmit(event.submitter);
    else if (!event.submitter.isConnected) sayUnsent(form);
  }, true);
})();
