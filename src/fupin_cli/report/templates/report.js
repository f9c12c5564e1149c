"use strict";
// Without this script everything is there and opens by itself; with it the cases can be sifted.
const form = document.getElementById("filter");
if (form) {
  const field = (name) => document.getElementById("f-" + name);
  const opens = field("open").textContent;
  const cases = [...document.querySelectorAll(".case")];
  const words = cases.map((one) => one.querySelector("summary").textContent.toLowerCase());
  const sift = () => {
    const wanted = field("text").value.trim().toLowerCase().split(/\s+/);
    const same = (one, name) => !field(name).value || one.dataset[name] === field(name).value;
    let shown = 0;
    cases.forEach((one, n) => {
      const fits = ["rule", "severity", "town"].every((name) => same(one, name))
        && (!field("review").checked || "review" in one.dataset)
        && wanted.every((word) => words[n].includes(word));
      one.hidden = !fits;
      shown += fits;
    });
    const said = field("count").dataset.words;
    field("count").textContent = said.replace("{shown}", shown).replace("{all}", cases.length);
  };
  form.addEventListener("input", sift);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(sift));
  field("open").addEventListener("click", () => {
    const shown = cases.filter((one) => !one.hidden);
    const open = !shown.every((one) => one.open);
    for (const one of shown) one.open = open;
    field("open").textContent = open ? field("open").dataset.close : opens;
  });
  form.hidden = false;
  sift();
}
// A link to a folded part opens it.
const unfold = () => {
  const aim = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (aim instanceof HTMLDetailsElement) aim.open = true;
};
addEventListener("hashchange", unfold);
unfold();
