// The page in the browser: Ctrl+Enter makes the video, the result comes into view, and Gradio's notes go where errors stand.
const NARROW_PX = 768;

function showStatus(text) {
  const line = document.createElement("p");
  line.className = "error";
  line.setAttribute("role", "alert");
  line.textContent = text;
  document.querySelector("#status .prose").replaceChildren(line);
  toResult();
}

function toResult() {
  const status = document.querySelector("#status");
  status.tabIndex = -1;
  status.focus({ preventScroll: true });
  if (window.innerWidth < NARROW_PX) status.scrollIntoView({ behavior: "smooth", block: "start" });
}

document.addEventListener("keydown", (event) => {
  const start = document.querySelector("#start");
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !start || start.disabled) return;
  event.preventDefault();
  document.activeElement?.blur();  // a text is known to the page once it is left
  setTimeout(() => start.click());
});

new MutationObserver((changes) => {
  for (const change of changes) for (const node of change.addedNodes) {
    const note = node.nodeType === 1 && (node.matches?.(".toast-body.error") ? node : node.querySelector?.(".toast-body.error"));
    if (note) showStatus((note.querySelector(".toast-message-text") || note).textContent.trim());
  }
}).observe(document, { childList: true, subtree: true });
