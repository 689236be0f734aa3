// How far a file is: asked each second; the page is loaded anew when something else is to be said.

const given = JSON.parse(document.getElementById("import-script").textContent);
const bar = document.querySelector("[data-progress]");
const text = document.querySelector("[data-percent]");
const EVERY = 1000; // ms

async function look() {
  try {
    const answer = await fetch(given.state, { headers: { accept: "application/json" } });
    const said = answer.ok ? await answer.json() : { state: null };
    if (said.state !== given.shown) {
      location.reload();
      return;
    }
    if (said.percent !== null) {
      bar.value = said.percent;
      text.textContent = `${said.percent}\u00a0%`;
    }
  } catch {
    // the web process may be restarting: it is asked again
  }
  setTimeout(look, EVERY);
}

setTimeout(look, EVERY);
