// Makes pages live. Without it they work, and refresh themselves where something is under way.
"use strict";

(() => {
  // The only place where text becomes markup; all of it was escaped by the server that we came from.
  const policy = window.trustedTypes?.createPolicy("ci-node", { createHTML: (text) => text });
  const markup = (text) => {
    const template = document.createElement("template");
    template.innerHTML = policy ? policy.createHTML(text) : text;
    return template.content;
  };
  const main = document.querySelector("main");
  const away = document.getElementById("away");
  document.documentElement.classList.add("live-script");

  // Times that pass.
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const words = (seconds, isExact) => {
    const at = units.findIndex(([length]) => seconds >= length);
    if (at < 0) return isExact ? "0 s" : "just now";
    const [length, name] = units[at];
    const first = `${Math.floor(seconds / length)} ${name}`;
    const next = isExact && units[at + 1];
    return next ? `${first} ${Math.floor((seconds % length) / next[0])} ${next[1]}` : first;
  };
  const tell = (root) => {
    for (const time of root.querySelectorAll("time[data-kind]")) {
      const passed = Math.max(0, Math.floor((Date.now() - Date.parse(time.dateTime)) / 1000));
      const isExact = time.dataset.kind === "for";
      const text = words(passed, isExact) + (isExact || passed < 1 ? "" : " ago");
      if (time.textContent !== text) time.textContent = text;
    }
  };
  tell(document);
  setInterval(() => document.hidden || tell(document), 1000);

  // Makes what is shown what it should be, and leaves what is the same: what is open stays open, what has
  // the focus keeps it.
  const isKept = (name) => name === "open" || name === "value" || name === "checked";
  const matches = (one, other) =>
    one.nodeType === other.nodeType && one.nodeName === other.nodeName && (one.id ?? "") === (other.id ?? "");
  const become = (node, wanted) => {
    if (node.nodeType !== Node.ELEMENT_NODE) {
      if (node.data !== wanted.data) node.data = wanted.data;
      return;
    }
    if (wanted.dataset.kept !== undefined) return;
    for (const { name } of [...node.attributes]) {
      if (!wanted.hasAttribute(name) && !isKept(name)) node.removeAttribute(name);
    }
    for (const { name, value } of wanted.attributes) {
      if (node.getAttribute(name) !== value && !isKept(name)) node.setAttribute(name, value);
    }
    adopt(node, wanted);
  };
  const adopt = (parent, wanted) => {
    let old = parent.firstChild;
    for (const child of [...wanted.childNodes]) {
      let match = old;
      if (child.id) {
        while (match && match.id !== child.id) match = match.nextSibling;
      }
      if (match && matches(match, child)) {
        if (match === old) old = old.nextSibling;
        else parent.insertBefore(match, old);
        become(match, child);
      } else {
        parent.insertBefore(child, old);
      }
    }
    while (old) {
      const next = old.nextSibling;
      old.remove();
      old = next;
    }
  };

  // A stream that is opened again where it was left, and only while somebody looks.
  const follow = (address, listen) => {
    let source = null;
    let waited = 1000;
    let timer = 0;
    let isOver = false;
    const open = () => {
      clearTimeout(timer);
      if (source || isOver || document.hidden) return;
      source = new EventSource(address());
      source.onopen = () => {
        waited = 1000;
        away.textContent = "";
      };
      source.onerror = () => {
        if (isOver) return;
        close();
        away.textContent = "The node does not answer. Trying again…";
        timer = setTimeout(open, waited);
        waited = Math.min(waited * 1.6, 15000);
      };
      listen(source, () => {
        isOver = true;
        close();
      });
    };
    const close = () => {
      source?.close();
      source = null;
    };
    document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
    addEventListener("pagehide", close);
    addEventListener("pageshow", open);
    open();
  };

  // The page as a whole: the server sends what it shows whenever that has changed.
  const root = document.documentElement;
  if (root.dataset.shown) {
    let shown = null;
    const address = () => {
      const url = new URL(location.href);
      url.hash = "";
      url.searchParams.set("shown", root.dataset.shown);
      return url;
    };
    const take = (event) => {
      const news = JSON.parse(event.data);
      shown = news.start === undefined ? news.html : shown.slice(0, news.start) + news.html + shown.slice(shown.length - news.end);
      root.dataset.shown = event.lastEventId;
      document.title = news.title;
      document.querySelector("link[rel=icon]").href = `/assets/${news.tone}.svg`;
      const content = markup(shown);
      tell(content);
      adopt(main, content);
    };
    follow(address, (source, end) => {
      shown = null;
      source.addEventListener("page", take);
      source.addEventListener("gone", () => {
        end();
        away.textContent = "This page is not there any more, or not for you. Load it again.";
      });
    });
  }

  // A log, in blocks that are loaded when they come near, and dropped when they are far away.
  const log = document.getElementById("log");
  if (!log) return;
  const BLOCK = 1000;
  const KEPT = 24;
  const TALLEST = 8_000_000;
  const base = log.dataset.log;
  const find = log.dataset.find;
  const blocks = new Map();
  const loaded = new Set();
  let lines = Number(log.dataset.lines);
  const lineHeight = parseFloat(getComputedStyle(log).lineHeight) || 19;
  const size = (index) => Math.min(BLOCK, lines - index * BLOCK);
  const guess = (count) => count * Math.min(lineHeight, TALLEST / Math.max(lines, 1));
  const number = (block) => Number(block.dataset.block);
  const blank = (block) => {
    block.style.height = `${guess(size(number(block)))}px`;
    block.classList.add("blank");
  };

  const load = async (block) => {
    if (loaded.has(block) || block.dataset.busy) return;
    block.dataset.busy = "1";
    try {
      const count = size(number(block));
      const query = new URLSearchParams({ from: number(block) * BLOCK + 1, count, find });
      const answer = await fetch(`${base}/lines?${query}`, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(answer.statusText);
      fill(block, markup(await answer.text()));
      // More of it was printed meanwhile.
      if (size(number(block)) > count) {
        loaded.delete(block);
        load(block);
      }
    } catch (error) {
      away.textContent = `A part of the log could not be read: ${error.message}`;
      setTimeout(() => delete block.dataset.busy, 2000);
    }
  };
  const fill = (block, content) => {
    // What lies above must not move what is being read.
    const isAbove = block.getBoundingClientRect().bottom < 0;
    const before = block.offsetHeight;
    block.replaceChildren(content);
    block.style.height = "";
    block.classList.remove("blank");
    delete block.dataset.busy;
    if (isAbove && !CSS.supports("overflow-anchor", "auto")) scrollBy(0, block.offsetHeight - before);
    loaded.add(block);
    mark();
    if (loaded.size > KEPT) drop();
  };
  const drop = () => {
    const middle = innerHeight / 2;
    const far = (block) => Math.abs(block.getBoundingClientRect().top - middle);
    const furthest = [...loaded].sort((one, other) => far(other) - far(one)).slice(0, loaded.size - KEPT);
    for (const block of furthest) {
      if (far(block) < 4 * innerHeight) continue;
      block.style.height = `${block.offsetHeight}px`;
      block.replaceChildren();
      block.classList.add("blank");
      loaded.delete(block);
    }
  };
  const near = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) load(target);
  }, { rootMargin: "1200px" });
  const block = (index) => {
    let found = blocks.get(index);
    if (found) return found;
    found = document.createElement("div");
    found.className = "block";
    found.dataset.block = index;
    blocks.set(index, found);
    return found;
  };
  for (const shown of log.querySelectorAll(".block")) {
    blocks.set(number(shown), shown);
    loaded.add(shown);
  }
  const frame = document.createDocumentFragment();
  for (let index = 0; index * BLOCK < lines; index++) {
    const one = block(index);
    if (!loaded.has(one)) blank(one);
    frame.append(one);
  }
  // Whoever came for a line goes on seeing it.
  log.replaceChildren(frame);
  for (const one of blocks.values()) near.observe(one);

  // Lines that were chosen: #L10, or #L10-L20.
  const chosen = () => {
    const range = /^#L(\d+)(?:-L(\d+))?$/.exec(location.hash);
    if (!range) return null;
    const ends = [Number(range[1]), Number(range[2] ?? range[1])];
    return ends.sort((one, other) => one - other);
  };
  const mark = () => {
    for (const line of log.querySelectorAll(".chosen")) line.classList.remove("chosen");
    const range = chosen();
    if (!range) return;
    const last = Math.min(range[1], range[0] + 5000);
    for (let line = range[0]; line <= last; line++) document.getElementById(`L${line}`)?.classList.add("chosen");
  };
  const show = async (line) => {
    const one = blocks.get(Math.floor((line - 1) / BLOCK));
    if (!one) return;
    one.scrollIntoView();
    await load(one);
    document.getElementById(`L${line}`)?.scrollIntoView({ block: "center" });
  };
  const arrive = () => {
    mark();
    const range = chosen();
    if (range) show(range[0]);
  };
  let first = 0;
  log.addEventListener("click", (event) => {
    const link = event.target.closest(".l > a");
    if (!link || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    const line = Number(link.textContent);
    const from = event.shiftKey && first ? first : line;
    if (from === line) first = line;
    const [low, high] = [Math.min(from, line), Math.max(from, line)];
    const url = new URL(location.href);
    url.searchParams.set("line", low);
    url.hash = low === high ? `L${low}` : `L${low}-L${high}`;
    history.replaceState(null, "", url);
    mark();
  });
  addEventListener("hashchange", arrive);
  if (chosen()) arrive();
  else if (log.dataset.end !== undefined) scrollTo(0, document.documentElement.scrollHeight);

  // What one likes is kept in the browser.
  for (const id of ["wrap", "times"]) {
    const box = document.getElementById(id);
    const kept = localStorage.getItem(`log-${id}`);
    if (kept !== null) box.checked = kept === "true";
    box.addEventListener("change", () => localStorage.setItem(`log-${id}`, box.checked));
  }
  const search = document.querySelector("input[type=search]");
  addEventListener("keydown", (event) => {
    if (event.target.closest("input, button, a, summary") || event.metaKey || event.ctrlKey || event.altKey) return;
    if (event.key === "/") {
      event.preventDefault();
      search.focus();
    }
  });

  // What is printed while one looks.
  if (!log.dataset.next) return;
  const box = document.getElementById("follow");
  let rest = null;
  const isAtEnd = () => innerHeight + scrollY >= document.documentElement.scrollHeight - 120;
  const keepUp = (change) => {
    const goes = box.checked && isAtEnd();
    change();
    if (goes) scrollTo(0, document.documentElement.scrollHeight);
  };
  box.addEventListener("change", () => box.checked && scrollTo(0, document.documentElement.scrollHeight));
  const append = (from, content) => {
    rest?.remove();
    rest = null;
    const news = [...content.children];
    news.forEach((line, offset) => {
      const at = from + offset;
      if (at <= lines && document.getElementById(`L${at}`)) return;
      lines = Math.max(lines, at);
      const one = block(Math.floor((at - 1) / BLOCK));
      if (!one.parentNode) {
        log.append(one);
        loaded.add(one);
        near.observe(one);
      }
      if (loaded.has(one)) one.append(line);
      else blank(one);
    });
    if (loaded.size > KEPT) drop();
  };
  follow(
    () => `${base}/follow?${new URLSearchParams({ next: log.dataset.next })}`,
    (source, end) => {
      source.addEventListener("lines", (event) => {
        const news = JSON.parse(event.data);
        log.dataset.next = event.lastEventId;
        keepUp(() => append(news.from, markup(news.html)));
      });
      source.addEventListener("rest", (event) => {
        keepUp(() => {
          rest?.remove();
          rest = markup(JSON.parse(event.data).html).firstElementChild;
          if (rest) log.append(rest);
        });
      });
      source.addEventListener("end", end);
    },
  );
})();
