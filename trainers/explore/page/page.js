"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);

  // --- The data.

  const unpack = (text, Type) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    return new Type(bytes.buffer);
  };
  const n = data.count;
  const k = data.k;
  // In a name "\\" is a backslash, "\n" a line feed.
  const names = data.names.split("\n").map((name) =>
    name.replace(/\\(.)/g, (_, c) => ({n: "\n", r: "\r"}[c] ?? c)));
  const X = unpack(data.x, Uint16Array);
  const Y = unpack(data.y, Uint16Array);
  const slots = unpack(data.slots, Uint32Array);
  const neighbors = unpack(data.neighbors, Int32Array);
  const cosines = unpack(data.cosines, Uint16Array);
  const cluster = unpack(data.cluster, Uint16Array);
  const centerDistance = unpack(data.centerDistance, Float32Array);
  const label = unpack(data.label, Uint16Array);
  const distance = unpack(data.distance, Float32Array);
  const factor = unpack(data.factor, Float32Array);
  const hasLabels = label.length === n && n > 0;
  const hasThumbs = slots.length === n;
  const perSheet = data.columns * data.columns;
  const cosineAt = (place) => cosines[place] / 65535 * 2 - 1;

  const groupOf = new Map();
  data.groups.forEach((group, g) => group.forEach(([i]) => groupOf.set(i, g)));
  const rankOf = new Map(data.outliers.map((i, rank) => [i, rank + 1]));
  const voteOf = new Map();
  data.border.forEach((vote) => voteOf.set(vote[0], vote));
  data.wrong.forEach((vote) => voteOf.set(vote[0], vote));
  const COPIES = ["the first", "same pixels", "nearly the same", "turned",
    "much alike"];

  const number = (value, digits = 0) => value.toLocaleString("en-US",
    {minimumFractionDigits: digits, maximumFractionDigits: digits});
  const cosineText = (value) => value.toFixed(value > 0.995 ? 4 : 3);
  const plural = (count, one, many) =>
    number(count) + " " + (count === 1 ? one : many);
  const baseName = (i) => names[i].slice(names[i].lastIndexOf("/") + 1);

  // An element with text or elements in it. No HTML is ever made of data.
  const make = (tag, properties = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name === "class") element.className = value;
      else if (name === "style") element.style.cssText = value;
      else if (name.startsWith("on")) {
        element.addEventListener(name.slice(2), value);
      } else if (value !== null) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== null));
    return element;
  };

  // WCAG's relative luminance of hsl(hue, 0.66, lightness).
  const luminance = (hue, lightness) => {
    const a = 0.66 * Math.min(lightness, 1 - lightness);
    const linear = (n) => {  // sRGB's, by CSS Color 4
      const k = (n + hue / 30) % 12;
      const value = lightness - a * Math.max(-1, Math.min(k - 3, 9 - k, 1));
      return value <= 0.04045 ? value / 12.92 :
        ((value + 0.055) / 1.055) ** 2.4;
    };
    return 0.2126 * linear(0) + 0.7152 * linear(8) + 0.0722 * linear(4);
  };

  // Hues a golden angle apart, for any number, in three luminances that stand
  // out from the page by more than 3 : 1.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const colors = {true: [], false: []};
  const colorOf = (group) => {
    const known = colors[dark.matches];
    if (known[group]) return known[group];
    const hue = (215 + 137.508 * group) % 360;
    const wanted = (dark.matches ? [0.4, 0.24, 0.55] :
      [0.18, 0.26, 0.1])[Math.floor(group / 8) % 3];
    let low = 0, high = 1;
    for (let i = 0; i < 16; ++i) {
      const middle = (low + high) / 2;
      if (luminance(hue, middle) < wanted) low = middle;
      else high = middle;
    }
    return known[group] =
      `hsl(${hue.toFixed(1)} 66% ${(100 * low).toFixed(1)}%)`;
  };

  // --- Thumbnails.

  const place = (element, i) => {
    const slot = slots[i] % perSheet;
    const last = data.columns - 1;
    const column = slot % data.columns;
    const row = Math.floor(slot / data.columns);
    element.style.backgroundImage =
      `url("${data.sheets[Math.floor(slots[i] / perSheet)]}")`;
    element.style.backgroundPosition =
      `${column / last * 100}% ${row / last * 100}%`;
  };
  // Sheets are loaded when one of their thumbnails comes near the screen.
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      place(entry.target, Number(entry.target.dataset.image));
    }
  }, {rootMargin: "400px"});
  const thumb = (i, now = false) => {
    if (!hasThumbs) {
      return make("span", {class: "thumb nothumb"}, baseName(i));
    }
    const element = make("span", {class: "thumb", "data-image": i});
    if (now) place(element, i);
    else seen.observe(element);
    return element;
  };
  // A button that opens the image; `list` is what its arrows then walk along.
  const item = (i, lines, list) => {
    const element = make("button", {type: "button", class: "item",
      "data-open": i, title: names[i], "aria-label": names[i] +
        lines.map((line) => ", " + (line.textContent ?? line)).join("")},
      thumb(i), make("small", {}, make("b", {}, baseName(i))),
      ...lines.map((line) => make("small", {}, line)));
    element.list = list;
    return element;
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-open]");
    if (button) openImage(Number(button.dataset.open), button.list);
  });

  // Elements for `entries`, `step` at a time.
  const inSteps = (parent, entries, step, render) => {
    let shown = 0;
    const more = make("button", {type: "button", class: "more"});
    const add = () => {
      const first = shown;
      for (; shown < Math.min(first + step, entries.length); ++shown) {
        parent.append(render(entries[shown], shown));
      }
      more.hidden = shown >= entries.length;
      more.textContent = "Show " +
        number(Math.min(step, entries.length - shown)) + " more of " +
        number(entries.length - shown);
    };
    more.addEventListener("click", () => {
      const next = parent.childElementCount;
      add();
      const target = parent.children[next];
      (target?.matches("button") ? target : target?.querySelector("button"))
        ?.focus({preventScroll: true});
    });
    parent.after(more);
    add();
  };
  const intro = (...paragraphs) => make("div", {class: "intro"},
    ...paragraphs.map((text) =>
      typeof text === "string" ? make("p", {}, text) : text));
  const nothing = (text) => make("p", {class: "none"}, text);

  // --- Views.

  const clusterName = (c) => "Cluster " + (c + 1);
  const builders = {
    map: () => startMap(),

    duplicates(view) {
      view.append(intro(
        "Groups of images that are the same picture, or nearly, each with the " +
        "cosine of its features to those of the group's first. Two images are " +
        "in a group if " + (data.looked ? "they look alike: reduced to 24 × 24 " +
        "pixels, also turned or mirrored, their gray values correlate to " +
        "0.98, and their colors are the same." :
        "that reaches the threshold."),
        "All are in duplicates.csv."));
      view.append(histogram());
      if (data.groups.length === 0) {
        view.append(nothing("No image is as near to another as the threshold asks."));
        return;
      }
      const order = data.groups.map((_, g) => g);
      const groups = make("div", {class: "groups"});
      view.append(groups);
      inSteps(groups, order, 60, (g) => {
        const group = data.groups[g];
        const list = group.map(([i]) => i);
        return make("article", {class: "card"},
          make("header", {}, make("h3", {}, "Group " + (g + 1)),
            make("small", {}, plural(group.length, "image", "images"))),
          make("div", {class: "gallery"}, ...group.map(([i, cosine, copy]) =>
            item(i, [copy === 0 ? COPIES[0] : COPIES[copy] + ", " +
              cosineText(cosine)], list))));
      });
    },

    outliers(view) {
      view.append(intro(
        `Images that are farthest from their ${k}th most alike: pictures of ` +
        "something else, broken or empty ones. The factor compares that with " +
        "how far apart the images around are (local outlier factor); about 1 is " +
        "usual.",
        "The most unusual first; all are in outliers.csv."));
      const gallery = make("div", {class: "gallery"});
      view.append(gallery);
      inSteps(gallery, data.outliers, 120, (i, rank) => item(i,
        [`${rank + 1}. distance ${distance[i].toFixed(3)}`,
          `factor ${factor[i].toFixed(2)}`], data.outliers));
    },

    clusters(view) {
      const members = Array.from({length: data.clusters}, () => []);
      for (let i = 0; i < n; ++i) members[cluster[i]].push(i);
      view.append(intro(
        "Groups found by k-means on the features, each with its most typical " +
        "images first." + (data.silhouette === null ? "" :
          ` Silhouette ${data.silhouette.toFixed(2)}: 1 is far apart, 0 is ` +
          "without borders."),
        "All are in clusters.csv."));
      members.forEach((list, c) => {
        list.sort((a, b) => centerDistance[a] - centerDistance[b] || a - b);
        const gallery = make("div", {class: "gallery"});
        const card = make("article", {class: "card", style: `--c:${colorOf(c)}`},
          make("header", {}, make("h3", {}, make("span", {class: "dot"}),
            clusterName(c)), make("small", {},
            plural(list.length, "image", "images") + mostly(list))),
          gallery);
        view.append(card);
        inSteps(gallery, list, 12, (i) => item(i, [], list));
      });
    },

    labels(view) {
      if (!hasLabels) {
        view.append(nothing("These images are not in class folders."));
        return;
      }
      view.append(intro(
        "Images whose most alike images lie in another folder: likely wrong " +
        "labels, the surest first. If folders are no classes here, run again " +
        "with --labels=none.", "All are in labels.csv."));
      const lists = [
        ["Likely wrong", data.wrong, data.wrongCount],
        ["Near the border", data.border, data.borderCount]];
      for (const [title, votes, count] of lists) {
        view.append(make("h3", {}, `${title} (${number(count)})`));
        const gallery = make("div", {class: "gallery"});
        view.append(gallery);
        if (votes.length === 0) gallery.replaceWith(nothing("None."));
        else {
          inSteps(gallery, votes, 60, ([i, suggested, own, other]) => item(i,
            [make("span", {class: "tag"}, data.classes[label[i]]),
              make("span", {class: "bad"}, "→ " + data.classes[suggested]),
              `${Math.round(100 * other)} % to ${Math.round(100 * own)} %`],
            votes.map(([j]) => j)));
        }
      }
    },

    find(view) {
      const input = make("input", {type: "search", id: "find-name",
        placeholder: "part of a path", "aria-label": "Find by name",
        autocomplete: "off", spellcheck: "false"});
      const status = make("p", {class: "note", role: "status"});
      const results = make("div");
      view.append(input, status, results);
      const search = () => {
        const wanted = input.value.trim().toLowerCase();
        const found = [];
        if (wanted) {
          for (let i = 0; i < n; ++i) {
            if (names[i].toLowerCase().includes(wanted)) found.push(i);
          }
        }
        status.textContent = wanted ? plural(found.length, "image", "images") :
          "Type a part of a file's path.";
        const gallery = make("div", {class: "gallery"});
        results.replaceChildren(gallery);
        if (found.length) inSteps(gallery, found, 120, (i) => item(i, [], found));
      };
      input.addEventListener("input", search);
      search();
    },
  };

  // ", 93 % stripes" for the folder that most of them lie in.
  const mostly = (list) => {
    if (!hasLabels || list.length === 0) return "";
    const counts = new Map();
    for (const i of list) counts.set(label[i], (counts.get(label[i]) ?? 0) + 1);
    const [name, count] = [...counts].reduce((a, b) => b[1] > a[1] ? b : a);
    return `, ${Math.round(100 * count / list.length)} % ${data.classes[name]}`;
  };

  const copies = (i, j) => data.groups.some((group) =>
    group.some(([a]) => a === i) && group.some(([b]) => b === j));

  // Nearest cosines, to choose another threshold by.
  const histogram = () => {
    const {decades, counts} = data.histogram;
    const box = make("div", {class: "histogram card"});
    const svgNS = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(svgNS, "svg");
    svg.setAttribute("viewBox", "0 0 1000 132");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label",
      "How many images have their most alike image at which cosine");
    const highest = Math.log(1 + Math.max(...counts, 1));
    const width = 1000 / counts.length;
    const bars = counts.map((count, b) => {
      const bar = document.createElementNS(svgNS, "rect");
      // By logarithm: copies are few.
      const height = 128 * Math.log(1 + count) / highest;
      bar.setAttribute("x", b * width + 0.5);
      bar.setAttribute("width", width - 1);
      bar.setAttribute("y", 132 - height);
      bar.setAttribute("height", height);
      svg.append(bar);
      return bar;
    });
    const line = document.createElementNS(svgNS, "line");
    line.setAttribute("y1", 0);
    line.setAttribute("y2", 132);
    line.setAttribute("vector-effect", "non-scaling-stroke");
    svg.append(line);
    // 1 - cosine by powers of ten: what matters lies next to 1.
    const toCosine = (value) => 1 - 10 ** (-value / 100);
    const toPlace = (cosine) => -100 * Math.log10(1 - cosine);
    const slider = make("input", {type: "range", min: 0, max: 100 * decades,
      step: 1, id: "threshold", value: Math.round(toPlace(data.threshold)),
      "aria-label": "Try another threshold"});
    const text = make("label", {for: "threshold"});
    const pairs = make("div", {class: "pairs", id: "pairs"});
    const nearest = Array.from({length: n}, (_, i) => i)
      .sort((a, b) => cosines[b * k] - cosines[a * k]);
    const show = (moved) => {
      const at = moved ? toCosine(Number(slider.value)) : data.threshold;
      const x = Math.max(0, Math.min(1, toPlace(at) / 100 / decades)) * 1000;
      line.setAttribute("x1", x);
      line.setAttribute("x2", x);
      bars.forEach((bar, b) =>
        bar.classList.toggle("over", (b + 0.5) * width >= x));
      let count = 0;
      while (count < n && cosineAt(nearest[count] * k) >= at) ++count;
      text.replaceChildren(
        moved ? `At ${cosineText(at)}, ` : `At the threshold ${cosineText(at)}, `,
        `${plural(count, "image has", "images have")} another one that near. `,
        moved ? make("span", {}, "To use it: ",
          make("code", {}, `--duplicates=${at.toFixed(4)}`)) :
          "The pairs closest to it:");
      // The pairs around it, each once.
      const shown = new Set();
      const around = [];
      for (let step = 0; around.length < 6 && step < 60; ++step) {
        const place = step % 2 ? count + (step >> 1) : count - 1 - (step >> 1);
        const i = nearest[place];
        if (i === undefined) continue;
        const j = neighbors[i * k];
        const key = Math.min(i, j) + " " + Math.max(i, j);
        if (shown.has(key)) continue;
        shown.add(key);
        around.push([i, j, cosineAt(i * k)]);
      }
      around.sort((a, b) => b[2] - a[2]);
      pairs.replaceChildren(...around.map(([i, j, cosine]) => make("div", {},
        ...[i, j].map((image) => make("button", {type: "button", class: "item",
          "data-open": image, title: names[image],
          "aria-label": names[image]}, thumb(image))),
        make("small", {}, cosineText(cosine) +
          (data.looked ? (copies(i, j) ? ", copies" : ", no copies") :
            cosine >= at ? ", taken" : ", not taken")))));
    };
    slider.addEventListener("input", () => show(true));
    box.append(make("strong", {}, "Cosine of each image to its most alike one"),
      svg, slider, make("div", {class: "axis"},
        ...["0", "0.9", "0.99", "0.999", "0.9999"].map((mark) =>
          make("span", {}, mark))), text, pairs);
    show(false);
    return box;
  };

  // --- Tabs. The address says what is shown, so that "back" works.

  const spare = data.groups.reduce((sum, group) => sum + group.length - 1, 0);
  const tabs = [
    ["map", "Map", null], ["duplicates", "Duplicates", spare],
    ["outliers", "Outliers", null], ["clusters", "Clusters", data.clusters],
    ...(hasLabels ? [["labels", "Labels", data.wrongCount]] : []),
    ["find", "Find", null]];
  const built = new Set();
  let current = "";
  const showView = (name) => {
    if (!tabs.some(([tab]) => tab === name)) name = "map";
    if (name === current) return;
    current = name;
    for (const [tab] of tabs) {
      const selected = tab === name;
      $("view-" + tab).hidden = !selected;
      $("tab-" + tab).setAttribute("aria-selected", selected);
      $("tab-" + tab).tabIndex = selected ? 0 : -1;
    }
    $("tab-" + name).scrollIntoView({block: "nearest", inline: "nearest"});
    if (!built.has(name)) {
      built.add(name);
      builders[name]($("view-" + name));
    }
    if (name === "map") drawSoon();
  };
  for (const [name, title, count] of tabs) {
    $("tabs").append(make("button", {type: "button", role: "tab",
      id: "tab-" + name, "aria-controls": "view-" + name,
      onclick: () => { location.hash = name; }}, title,
      count === null ? null : make("span", {class: "count"}, number(count))));
  }
  $("tabs").addEventListener("keydown", (event) => {
    const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (!step) return;
    event.preventDefault();
    const at = tabs.findIndex(([name]) => name === current);
    const next = tabs[(at + step + tabs.length) % tabs.length][0];
    location.hash = next;
    showView(next);
    $("tab-" + next).focus();
  });

  // --- One image.

  const dialog = $("detail");
  let opened = -1;
  let walk = [];
  const addressOf = (i) => data.images +
    names[i].split("/").map(encodeURIComponent).join("/");
  const openImage = (i, list) => {
    walk = list ?? Array.from(neighbors.subarray(i * k, (i + 1) * k));
    if (!walk.includes(i)) walk = [i, ...walk];
    location.hash = "image-" + i;
  };
  const showImage = (i) => {
    opened = i;
    if (!walk.includes(i)) walk = [i];
    const at = walk.indexOf(i);
    $("detail-name").textContent = names[i];
    $("detail-previous").disabled = at <= 0;
    $("detail-next").disabled = at >= walk.length - 1;
    const picture = $("detail-picture");
    if (data.images) {
      const image = make("img", {alt: names[i]});
      image.addEventListener("error",
        () => picture.replaceChildren(thumb(i, true)));
      image.src = addressOf(i);
      picture.replaceChildren(image);
    } else {
      picture.replaceChildren(thumb(i, true));
    }
    const facts = $("detail-facts");
    facts.replaceChildren();
    const fact = (name, ...value) => facts.append(make("dt", {}, name),
      make("dd", {}, ...value));
    if (hasLabels) fact("Folder", data.classes[label[i]]);
    const vote = voteOf.get(i);
    if (vote) {
      fact("Looks like", `${data.classes[vote[1]]} ` +
        `(${Math.round(100 * vote[3])} % to ${Math.round(100 * vote[2])} %)`);
    }
    fact("Cluster", `${cluster[i] + 1} of ${data.clusters}, ` +
      `${centerDistance[i].toFixed(3)} from its center`);
    fact("Unusual", (rankOf.has(i) ? `place ${number(rankOf.get(i))} of ` +
      `${number(n)}, ` : "") + `distance ${distance[i].toFixed(3)}, factor ` +
      factor[i].toFixed(2));
    const group = data.groups[groupOf.get(i)];
    if (group) {
      fact("Copies", ...group.filter(([j]) => j !== i).slice(0, 20).map(([j]) =>
        make("div", {}, make("button", {type: "button", class: "link",
          "data-open": j}, names[j]))));
    }
    const list = Array.from(neighbors.subarray(i * k, (i + 1) * k));
    $("detail-neighbors").replaceChildren(...list.map((j, place) => item(j,
      [cosineText(cosineAt(i * k + place)) +
        (hasLabels ? " " + data.classes[label[j]] : "")], [i, ...list])));
    document.querySelector(".detail").scrollTop = 0;
    if (!dialog.open) dialog.showModal();
  };
  const step = (by) => {
    const next = walk[walk.indexOf(opened) + by];
    if (next !== undefined) location.hash = "image-" + next;
  };
  $("detail-previous").addEventListener("click", () => step(-1));
  $("detail-next").addEventListener("click", () => step(1));
  $("detail-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  // On the document: what had the focus may be gone with another image.
  document.addEventListener("keydown", (event) => {
    if (!dialog.open) return;
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  dialog.addEventListener("close", () => {
    opened = -1;
    if (location.hash.startsWith("#image-")) location.hash = current;
  });
  const follow = () => {
    const image = /^#image-(\d+)$/.exec(location.hash);
    if (image && Number(image[1]) < n) {
      if (!current) showView("map");
      showImage(Number(image[1]));
      return;
    }
    if (dialog.open) dialog.close();
    showView(location.hash.slice(1));
  };

  // --- The map.

  const canvas = $("canvas");
  let drawSoon = () => {};
  const startMap = () => {
    const context = canvas.getContext("2d");
    const sheets = new Map();  // number -> image, the one used last at the end
    const kMostSheets = 48;
    const view = {x: 0.5, y: 0.5, scale: 1};  // center, and times "fit"
    let width = 0, height = 0, ratio = 1;
    let by = "cluster";
    let only = -1;
    let selected = -1;
    let pending = false;

    const groupsBy = () => by === "class" ? label : cluster;
    const groupNames = () => by === "class" ? data.classes :
      Array.from({length: data.clusters}, (_, c) => clusterName(c));
    const side = () => (Math.min(width, height) - 48) * view.scale;
    const screenX = (i) => width / 2 + (X[i] / 65535 - view.x) * side();
    const screenY = (i) => height / 2 - (Y[i] / 65535 - view.y) * side();
    const hidden = (i) => only >= 0 && groupsBy()[i] !== only;

    const sheetOf = (i) => {
      const which = Math.floor(slots[i] / perSheet);
      let image = sheets.get(which);
      if (image) {
        sheets.delete(which);
      } else {
        image = new Image();
        image.onload = drawSoon;
        image.src = data.sheets[which];
      }
      sheets.set(which, image);
      if (sheets.size > kMostSheets) sheets.delete(sheets.keys().next().value);
      return image.complete && image.naturalWidth ? image : null;
    };
    const drawThumb = (i, size) => {
      const image = sheetOf(i);
      if (!image) return 0;
      const slot = slots[i] % perSheet;
      const t = data.thumbnail;
      context.drawImage(image, slot % data.columns * t,
        Math.floor(slot / data.columns) * t, t, t, screenX(i) - size / 2,
        screenY(i) - size / 2, size, size);
      return 1;
    };

    const draw = () => {
      pending = false;
      if (canvas.offsetParent === null) return;
      const box = canvas.getBoundingClientRect();
      ratio = devicePixelRatio || 1;
      width = box.width;
      height = box.height;
      if (canvas.width !== Math.round(width * ratio) ||
          canvas.height !== Math.round(height * ratio)) {
        canvas.width = Math.round(width * ratio);
        canvas.height = Math.round(height * ratio);
      }
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, width, height);
      const group = groupsBy();
      const lists = groupNames().map(() => []);
      let visible = 0, pictures = 0;
      const margin = 40;
      for (let i = 0; i < n; ++i) {
        if (hidden(i)) continue;
        const x = screenX(i), y = screenY(i);
        if (x < -margin || y < -margin || x > width + margin ||
            y > height + margin) continue;
        ++visible;
        lists[group[i]].push(i);
      }
      const dot = Math.max(1.4, Math.min(4, 90 / Math.sqrt(visible + 1)));
      context.globalAlpha = 0.8;
      lists.forEach((list, g) => {
        context.fillStyle = colorOf(g);
        context.beginPath();
        for (const i of list) {
          const x = screenX(i), y = screenY(i);
          if (visible > 4000) {
            context.rect(x - dot, y - dot, 2 * dot, 2 * dot);
          } else {
            context.moveTo(x + dot, y);
            context.arc(x, y, dot, 0, 7);
          }
        }
        context.fill();
      });
      context.globalAlpha = 1;
      if (hasThumbs && $("pictures").checked && visible <= 20000) {
        // One picture a cell, so that none covers another.
        const size = Math.max(30, Math.min(data.thumbnail, 84,
          1.1 * Math.sqrt(width * height / (visible + 1))));
        const taken = new Set();
        const chosen = [];
        // In an order that prefers none, and is the same each time.
        const mixed = (i) => Math.imul(i + 1, 0x9E3779B1) >>> 0;
        const order = lists.flat().sort((a, b) => mixed(a) - mixed(b));
        for (const i of order) {
          const column = Math.floor(screenX(i) / (size + 4));
          const row = Math.floor(screenY(i) / (size + 4));
          const near = [];
          for (let a = -1; a <= 1; ++a) {
            for (let b = -1; b <= 1; ++b) {
              near.push((row + a) * 4096 + column + b);
            }
          }
          const cell = row * 4096 + column;
          const clash = near.some((other) => taken.has(other) && chosen.some(
            (j) => Math.abs(screenX(j) - screenX(i)) < size + 3 &&
              Math.abs(screenY(j) - screenY(i)) < size + 3));
          if (clash) continue;
          taken.add(cell);
          chosen.push(i);
          if (chosen.length > 400) break;
        }
        // Those of one sheet together: fewer sheets are held.
        chosen.sort((a, b) => slots[a] - slots[b]);
        const most = kMostSheets * perSheet;
        for (const i of chosen.slice(0, most)) {
          context.fillStyle = colorOf(group[i]);
          context.fillRect(screenX(i) - size / 2 - 2, screenY(i) - size / 2 - 2,
            size + 4, size + 4);
          pictures += drawThumb(i, size);
        }
      }
      if (selected >= 0) {
        const x = screenX(selected), y = screenY(selected);
        if (hasThumbs) drawThumb(selected, 84);
        context.lineWidth = 3;
        context.strokeStyle = dark.matches ? "#fff" : "#000";
        context.strokeRect(x - 44, y - 44, 88, 88);
      }
      canvas.dataset.visible = visible;
      canvas.dataset.pictures = pictures;
    };
    drawSoon = () => {
      if (pending) return;
      pending = true;
      requestAnimationFrame(draw);
    };

    const zoom = (factor, px = width / 2, py = height / 2) => {
      const before = side();
      const x = (px - width / 2) / before + view.x;
      const y = -(py - height / 2) / before + view.y;
      view.scale = Math.max(0.6, Math.min(400, view.scale * factor));
      view.x = x - (px - width / 2) / side();
      view.y = y + (py - height / 2) / side();
      drawSoon();
    };
    const fit = () => {
      Object.assign(view, {x: 0.5, y: 0.5, scale: 1});
      drawSoon();
    };
    const pan = (dx, dy) => {
      view.x -= dx / side();
      view.y += dy / side();
      drawSoon();
    };
    const nearestTo = (px, py, reach) => {
      let best = -1, least = reach * reach;
      for (let i = 0; i < n; ++i) {
        if (hidden(i)) continue;
        const square = (screenX(i) - px) ** 2 + (screenY(i) - py) ** 2;
        if (square < least) {
          least = square;
          best = i;
        }
      }
      return best;
    };
    const select = (i) => {
      selected = i;
      $("hint").textContent = i < 0 ? "" : names[i];
      if (i >= 0) {
        const x = screenX(i), y = screenY(i);
        if (x < 50 || y < 50 || x > width - 50 || y > height - 50) {
          view.x = X[i] / 65535;
          view.y = Y[i] / 65535;
        }
      }
      drawSoon();
    };

    // Pointers: one drags, two zoom, a click opens.
    const pointers = new Map();
    let moved = 0, gap = 0;
    const positionOf = (event) => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    canvas.addEventListener("pointerdown", (event) => {
      pointers.set(event.pointerId, positionOf(event));
      canvas.setPointerCapture(event.pointerId);
      if (pointers.size === 1) moved = 0;
      if (pointers.size === 2) {
        const [a, b] = [...pointers.values()];
        gap = Math.hypot(a[0] - b[0], a[1] - b[1]);
      }
      $("tip").hidden = true;
    });
    canvas.addEventListener("pointermove", (event) => {
      const at = positionOf(event);
      const from = pointers.get(event.pointerId);
      if (!from) {
        if (event.pointerType === "mouse") showTip(at);
        return;
      }
      pointers.set(event.pointerId, at);
      moved += Math.abs(at[0] - from[0]) + Math.abs(at[1] - from[1]);
      canvas.classList.add("drag");
      if (pointers.size === 1) {
        pan(at[0] - from[0], at[1] - from[1]);
      } else if (pointers.size === 2) {
        const [a, b] = [...pointers.values()];
        const now = Math.hypot(a[0] - b[0], a[1] - b[1]);
        pan((at[0] - from[0]) / 2, (at[1] - from[1]) / 2);
        if (gap > 0) zoom(now / gap, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2);
        gap = now;
        moved += 99;
      }
    });
    const release = (event) => {
      const at = pointers.get(event.pointerId);
      pointers.delete(event.pointerId);
      canvas.classList.remove("drag");
      if (!at || event.type === "pointercancel" || moved > 6 ||
          pointers.size > 0) return;
      const i = nearestTo(at[0], at[1], 44);
      if (i >= 0) {
        select(i);
        openImage(i);
      }
    };
    canvas.addEventListener("pointerup", release);
    canvas.addEventListener("pointercancel", release);
    canvas.addEventListener("pointerleave", () => { $("tip").hidden = true; });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const [x, y] = positionOf(event);
      zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), x, y);
    }, {passive: false});

    const showTip = ([x, y]) => {
      const tip = $("tip");
      const i = nearestTo(x, y, 22);
      canvas.classList.toggle("point", i >= 0);
      tip.hidden = i < 0;
      if (i < 0) return;
      if (tip.dataset.shown !== String(i)) {
        tip.dataset.shown = i;
        tip.replaceChildren(thumb(i, true), make("b", {}, baseName(i)),
          hasLabels ? data.classes[label[i]] + ", " : "",
          clusterName(cluster[i]).toLowerCase());
      }
      const tall = hasThumbs ? 200 : 90;
      tip.style.left = Math.max(4, Math.min(width - 150,
        x > width / 2 ? x - 162 : x + 18)) + "px";
      tip.style.top = Math.max(4, Math.min(height - tall, y - 60)) + "px";
    };

    // To the image that is nearest in a direction.
    const towards = (dx, dy) => {
      if (selected < 0) {
        select(nearestTo(width / 2, height / 2, Infinity));
        return;
      }
      let best = -1, least = Infinity;
      for (let i = 0; i < n; ++i) {
        if (i === selected || hidden(i)) continue;
        const x = X[i] - X[selected], y = Y[selected] - Y[i];
        const along = x * dx + y * dy;
        if (along <= 0) continue;
        const across = Math.abs(x * dy) + Math.abs(y * dx);
        const cost = along + 2.5 * across;
        if (cost < least) {
          least = cost;
          best = i;
        }
      }
      if (best >= 0) select(best);
    };
    canvas.addEventListener("keydown", (event) => {
      const arrows = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1],
        ArrowDown: [0, 1]};
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (arrows[event.key]) towards(...arrows[event.key]);
      else if (event.key === "+" || event.key === "=") zoom(1.4);
      else if (event.key === "-") zoom(1 / 1.4);
      else if (event.key === "0") fit();
      else if (event.key === "Escape") select(-1);
      else if (event.key === "Enter" && selected >= 0) openImage(selected);
      else return;
      event.preventDefault();
    });
    canvas.addEventListener("blur", () => { if (!dialog.open) select(-1); });

    const legend = () => {
      const counts = new Uint32Array(groupNames().length);
      for (const g of groupsBy()) ++counts[g];
      $("legend").replaceChildren(...groupNames().map((name, g) => make("li", {},
        make("button", {type: "button", style: `--c:${colorOf(g)}`,
          "aria-pressed": only === g, onclick: () => {
            only = only === g ? -1 : g;
            legend();
            drawSoon();
            $("legend").querySelectorAll("button")[g].focus();
          }}, make("i"), name, make("small", {}, number(counts[g]))))));
    };
    const color = $("color");
    if (hasLabels) color.append(make("option", {value: "class"}, "folder"));
    color.append(make("option", {value: "cluster"}, "cluster"));
    by = color.value;
    color.addEventListener("change", () => {
      by = color.value;
      only = -1;
      legend();
      drawSoon();
    });
    $("pictures").closest("label").hidden = !hasThumbs;
    $("pictures").addEventListener("change", drawSoon);
    $("zoom-in").addEventListener("click", () => zoom(1.6));
    $("zoom-out").addEventListener("click", () => zoom(1 / 1.6));
    $("zoom-fit").addEventListener("click", fit);
    dark.addEventListener("change", () => {
      legend();
      drawSoon();
    });
    new ResizeObserver(drawSoon).observe(canvas);
    legend();
    drawSoon();
  };

  $("title").textContent = data.title;
  $("summary").textContent = data.summary.join(" ");
  $("note").textContent = data.note;
  addEventListener("hashchange", follow);
  follow();
  document.body.dataset.ready = "yes";
})();
