// Says before anything is sent that a file is too large: the server would say so only at its end.

for (const form of document.querySelectorAll("[data-upload]")) {
  const said = form.querySelector("[data-too-large]");
  const file = form.querySelector("[type=file]");
  const check = () => { said.hidden = !(file.files[0]?.size > Number(form.dataset.most)); };
  file.addEventListener("change", check);
  form.addEventListener("submit", (event) => {
    check();
    if (!said.hidden) event.preventDefault();
  });
}
