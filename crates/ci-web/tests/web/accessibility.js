// What is wrong with a page for those who cannot see it well, or at all. Evaluates to a list of texts.
(() => {
  const wrong = [];
  const name = (element) => {
    const path = element.tagName.toLowerCase() + (element.id ? `#${element.id}` : "");
    return `${path}.${element.getAttribute("class") ?? ""} “${element.textContent.trim().slice(0, 40)}”`;
  };
  const all = (selector) => [...document.querySelectorAll(selector)];
  const isShown = (element) => element.checkVisibility({ visibilityProperty: true });
  const texts = (ids) => ids.split(/\s+/).map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
  const label = (element) =>
    (element.getAttribute("aria-label") ||
      texts(element.getAttribute("aria-labelledby") ?? "") ||
      [...(element.labels ?? [])].map((one) => one.textContent).join(" ") ||
      element.textContent ||
      element.getAttribute("title") ||
      "").trim();

  if (!document.documentElement.lang) wrong.push("the page has no language");
  if (!document.title) wrong.push("the page has no title");
  if (all("main").length !== 1) wrong.push("there is not one main part");
  if (all("h1").length !== 1) wrong.push("there is not one first heading");
  let level = 0;
  for (const heading of all("h1, h2, h3, h4")) {
    const own = Number(heading.tagName[1]);
    if (own > level + 1) wrong.push(`a heading is left out before ${name(heading)}`);
    level = own;
  }
  for (const element of all("a, button, input:not([type=hidden]), summary, [role=img], [role=region], nav")) {
    if (isShown(element) && !label(element)) wrong.push(`nothing names ${name(element)} ${element.outerHTML.slice(0, 120)}`);
  }
  for (const drawing of all("svg")) {
    if (drawing.getAttribute("role") !== "img" && drawing.getAttribute("aria-hidden") !== "true") {
      wrong.push(`a drawing says nothing and is not hidden: ${drawing.getAttribute("class")}`);
    }
  }
  const ids = new Set();
  for (const { id } of all("[id]")) {
    if (ids.has(id)) wrong.push(`two elements are called ${id}`);
    ids.add(id);
  }
  for (const table of all("table")) {
    if (!table.closest(".jobs, .wide")) wrong.push(`a table does not fit a phone: ${name(table)}`);
  }
  if (document.documentElement.scrollWidth > innerWidth + 1) {
    const wide = all("main *").find((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".wide, .log"));
    wrong.push(`the page is wider than the window: ${wide ? name(wide) : "?"}`);
  }

  // Contrast as WCAG counts it: 4.5, or 3 for large text.
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const color = (text) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const over = (upper, lower) => [0, 1, 2].map((at) => upper[at] * upper[3] + lower[at] * (1 - upper[3])).concat(1);
  const light = (one) => {
    const parts = one.slice(0, 3).map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const background = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) layers.push(color(getComputedStyle(one).backgroundColor));
    return layers.reverse().reduce((lower, upper) => over(upper, lower), [255, 255, 255, 1]);
  };
  const told = new Set();
  for (const element of all("body *:not(svg *):not(script):not(noscript)")) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!hasText || !isShown(element) || element.matches(".inverse, .hidden, .hidden *")) continue;
    const style = getComputedStyle(element);
    const behind = background(element);
    let own = color(style.color);
    for (let one = element; one; one = one.parentElement) own[3] *= Number(getComputedStyle(one).opacity);
    own = over(own, behind);
    const [low, high] = [light(own), light(behind)].sort((one, other) => one - other);
    const ratio = (high + 0.05) / (low + 0.05);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const what = `${element.tagName}.${element.className} in ${style.color}`;
    if (ratio < (isLarge ? 3 : 4.5) && !told.has(what)) {
      told.add(what);
      wrong.push(`contrast ${ratio.toFixed(2)}: ${name(element)}`);
    }
  }
  return wrong;
})()
