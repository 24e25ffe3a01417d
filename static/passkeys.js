// What goes wrong with a passkey is told by nothing but this event of allauth's webauthn.js.
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  // The page names the passkeys that it has; a device that holds one of them makes no other.
  const isThere = event.detail.exception.name === "InvalidStateError";
  const failed = document.getElementById(isThere ? "passkey-there" : "passkey-failed").content.cloneNode(true);
  document.getElementById("alerts").replaceChildren(failed);
});

// Enter in the passkey's name presses its button, which asks the device first.
document.getElementById("add-passkey")?.form.addEventListener("submit", (event) => {
  event.preventDefault();
  document.getElementById("add-passkey").click();
});
