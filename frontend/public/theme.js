// Before the first paint: the reader's choice of light or dark, where there is one.
(() => {
  try {
    const chosen = localStorage.getItem("lethe-theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // Without storage the system's choice holds.
  }
})();
