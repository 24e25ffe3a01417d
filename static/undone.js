// Show the message that the address asks for only once: after a reload or Back it may no longer be true.
history.replaceState(history.state, "", location.pathname);
