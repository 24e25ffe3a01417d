// This event of allauth's webauthn.js is the only way to learn that a passkey failed.
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  // The page tells the device which passkeys there are; a device that holds one of them refuses to make another.
  const isThere = event.detail.exception.name === "InvalidStateError";
  const failed = document.getElementById(isThere ? "passkey-there" : "passkey-failed").content.cloneNode(true);
  document.getElementById("alerts").replaceChildren(failed);
});

// Enter in the field for the passkey's name presses the button, which asks the device first.
document.getElementById("add-passkey")?.form.addEventListener("submit", (event) => {
  event.preventDefault();
  document.getElementById("add-passkey").click();
});
