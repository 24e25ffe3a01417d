// What an address says is said once: Back and a reload come after what was done since.

(() => {
  "use strict";

  const here = new URL(location);
  here.searchParams.delete("undone");
  history.replaceState(history.state, "", here);
})();
