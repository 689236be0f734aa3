// The table of everything that the meter says: values as they come, and what a search leaves of it.

function lines() {
  return [...(document.querySelector("[data-rows]")?.rows ?? [])];
}

// What the server sends: rows that changed, or all of them when some came or went.
export function showRows(rows, whole) {
  const body = document.querySelector("[data-rows]");
  if (!body) return;
  for (const [key, , , text] of rows) showValue(key, text);
  if (whole && !sameRows(rows)) {
    body.replaceChildren(...rows.map(newRow));
    return;
  }
  const known = new Map(lines().map((line) => [line.dataset.row, line]));
  for (const [key, , , text] of rows) {
    const value = known.get(key)?.cells[1];
    if (value && value.textContent !== text) value.textContent = text;
  }
}

// The same value elsewhere on the page; what is not as usual is marked.
function showValue(key, text) {
  for (const place of document.querySelectorAll(`[data-value="${CSS.escape(key)}"]`)) {
    if (place.textContent !== text) place.textContent = text;
    if (place.dataset.usual) place.toggleAttribute("data-odd", text !== place.dataset.usual);
  }
}

function sameRows(rows) {
  const keys = lines().map((line) => `${line.dataset.row} ${line.querySelector("code").textContent}`);
  return keys.join("\n") === rows.map(([key, label]) => `${key} ${label}`).join("\n");
}

function newRow([key, label, name, text]) {
  const line = document.createElement("tr");
  line.dataset.row = key;
  const code = document.createElement("code");
  code.textContent = label;
  line.insertCell().append(`${name} `, code);
  line.insertCell().textContent = text;
  return line;
}

// --- the search: the server's own, without its round trip ---
function folded(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().trim();
}

export function findRows(pattern) {
  const form = document.querySelector("[data-search]");
  const field = form.elements.namedItem("label");
  const found = document.querySelector("[data-found]");
  const find = () => {
    const wanted = folded(field.value);
    let n = 0;
    for (const line of lines()) {
      line.hidden = !folded(line.textContent).includes(wanted);
      if (!line.hidden) n += 1;
    }
    const text = pattern.replace("{n}", n).replace("{all}", lines().length);
    if (found.textContent !== text) found.textContent = text;
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); find(); });
  field.addEventListener("input", find);
  return find;
}
