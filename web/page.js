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
  if (window.innerWidth < NARROW_PX) status.scrollIntoView();
}

function atEnd() {  // who is still waiting for the result sees it; who went elsewhere stays there
  if (document.activeElement?.id === "status") setTimeout(toResult, 300);
}

document.addEventListener("keydown", (event) => {
  const start = document.querySelector("#start");
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !start || start.disabled) return;
  event.preventDefault();
  document.activeElement?.blur();  // a text is known to the page once it is left
  setTimeout(() => start.click());
});

// Gradio's pictures are buttons without a name; their label is one.
function nameButton(button) {
  const label = button.closest(".block")?.querySelector("label")?.textContent.trim();
  if (label && !button.ariaLabel) button.ariaLabel = label;
}

new MutationObserver((changes) => {
  for (const change of changes) for (const node of change.addedNodes) {
    if (node.nodeType !== Node.ELEMENT_NODE) continue;
    const note = node.matches(".toast-body.error") ? node : node.querySelector(".toast-body.error");
    if (note) showStatus((note.querySelector(".toast-message-text") || note).textContent.trim());
    document.querySelectorAll(".image-container > button").forEach(nameButton);
  }
}).observe(document, { childList: true, subtree: true });
