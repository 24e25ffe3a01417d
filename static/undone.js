// What an address says is said once: Back and a reload come after what was done since.
history.replaceState(history.state, "", location.pathname);
