// Runs once for the gallery of the review, `element`. A decision stands on its picture, as its list says, until the
// button below sends all of them. Keys act on the picture in focus; its list keeps its own.

const figures = () => [...element.querySelectorAll("figure")];
const listOf = (figure) => figure.querySelector("select");

const decide = (figure, decision) => {
  listOf(figure).value = decision;
  show();
};

const show = () => {
  const counts = { accepted: 0, dropped: 0, open: 0 };
  for (const figure of figures()) {
    const decision = listOf(figure).value;
    const kind = decision === "" ? "open" : decision === "dropped" ? "dropped" : "accepted";
    figure.dataset.decision = kind;
    counts[kind] += 1;
  }
  const line = element.querySelector(".decided");
  if (line) line.textContent = `${counts.accepted} to accept, ${counts.dropped} to drop, ${counts.open} undecided`;
};

const focus = (figure) => {
  if (!figure) return;
  for (const other of figures()) other.tabIndex = listOf(other).tabIndex = other === figure ? 0 : -1;
  figure.focus();
};

const columns = () => {
  const [first, ...others] = figures();
  const next = others.findIndex((figure) => figure.offsetTop > first.offsetTop);
  return next < 0 ? others.length + 1 : next + 1;
};

element.addEventListener("keydown", (event) => {
  const figure = event.target;
  if (figure.tagName !== "FIGURE" || event.ctrlKey || event.altKey || event.metaKey) return;
  const all = figures();
  const place = all.indexOf(figure);
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns(), ArrowDown: columns() };
  const decisions = { a: "accepted", d: "dropped", u: "" };
  if (event.key in steps) {
    focus(all[place + steps[event.key]]);
  } else if (event.key in decisions || /^[0-9]$/.test(event.key)) {
    decide(figure, decisions[event.key] ?? listOf(figure).options[3 + Number(event.key)]?.value ?? "");
    if (event.key !== "u") focus(all[place + 1]);
  } else if (event.key === "Enter") {
    document.querySelector("#review-save").click();
  } else {
    return;
  }
  event.preventDefault();
});

element.addEventListener("click", (event) => {
  const all = event.target.closest("[data-all]");
  const figure = event.target.closest("figure");
  if (all) {
    for (const each of figures()) listOf(each).value = all.dataset.all;
    show();
  } else if (figure && event.target.tagName !== "SELECT") {
    const next = { open: "accepted", accepted: "dropped", dropped: "" };
    focus(figure);
    decide(figure, next[figure.dataset.decision ?? "open"]);
  }
});

element.addEventListener("change", show);
