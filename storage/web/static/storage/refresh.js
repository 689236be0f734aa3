// Parts of a page that no event tells of are asked for again now and then: [data-refresh], each by its name.
const EVERY = 30_000; // ms

async function refresh() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return; // the server is away, or wants a login: what is shown stays
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-refresh]")) {
    const news = fresh.querySelector(`[data-refresh="${CSS.escape(part.dataset.refresh)}"]`);
    if (!news || news.innerHTML === part.innerHTML || part.contains(document.activeElement)) continue;
    part.replaceChildren(...news.childNodes);
  }
}

setInterval(() => { if (!document.hidden) refresh(); }, EVERY);
