// What goes wrong with a passkey is told by nothing but this event of allauth's webauthn.js.
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const failed = document.getElementById("passkey-failed").content.cloneNode(true);
  document.getElementById("alerts").replaceChildren(failed);
});
