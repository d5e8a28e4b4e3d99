// Behaviour of all pages: the theme, charts drawn when they come into view, and the video that follows clicks.
(() => {
  "use strict";
  const root = document.documentElement;
  const here = document.currentScript.src.replace(/[^/]*$/, "");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const drawn = [];

  // Theme: the button turns what the system asks for into its opposite, and remembers that.
  const stored = () => { try { return localStorage.getItem("retrace-theme"); } catch { return null; } };
  const theme = () => root.dataset.theme || (system.matches ? "dark" : "light");
  const template = () => window.RETRACE_THEMES[theme()];
  if (stored()) root.dataset.theme = stored();
  function themeChanged() {
    for (const button of document.querySelectorAll("[data-theme-button]")) {
      button.textContent = theme() === "dark" ? "Light" : "Dark";
      button.setAttribute("aria-label", `Use ${theme() === "dark" ? "light" : "dark"} colours`);
    }
    for (const plot of drawn) window.Plotly.relayout(plot, { template: template() });
  }
  system.addEventListener("change", themeChanged);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-button]")) return;
    root.dataset.theme = theme() === "dark" ? "light" : "dark";
    try { localStorage.setItem("retrace-theme", root.dataset.theme); } catch { /* private window */ }
    themeChanged();
  });
  themeChanged();

  // Charts: the library is fetched when the first chart comes near.
  const load = (name) => new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = here + name;
    script.onload = done;
    script.onerror = () => failed(new Error(`${name} is missing beside the report`));
    document.head.append(script);
  });
  let library = null;
  const buttons = [["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]];
  async function draw(plot) {
    library ||= Promise.all([load("plotly.min.js"), load("themes.js")]);
    try {
      await library;
      const { data, layout } = JSON.parse(plot.querySelector("script").textContent);
      layout.template = template();
      layout.height = Number(plot.dataset.height);
      plot.replaceChildren();
      const zooms = Boolean(layout.dragmode);
      if (matchMedia("(pointer: coarse)").matches) layout.dragmode = false; // a finger scrolls the page; buttons zoom
      await window.Plotly.newPlot(plot, data, layout, { responsive: true, displaylogo: false, displayModeBar: zooms, modeBarButtons: buttons });
    } catch (error) {
      plot.textContent = `This chart could not be drawn: ${error.message}`;
      return;
    }
    drawn.push(plot);
    if ("seeks" in plot.dataset) plot.on("plotly_click", (event) => seek(event.points[0].x));
    if ("steered" in plot.dataset) steer(plot);
  }
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) { watcher.unobserve(entry.target); draw(entry.target); }
  }, { rootMargin: "400px" });
  for (const plot of document.querySelectorAll(".plot")) watcher.observe(plot);

  // The timeline by keyboard: Up and Down choose a lane, Left and Right one of its moments, Home and End the first and the last.
  const chosen = new Map(); // plot -> number of the lane
  function steer(plot) {
    const { lanes } = plot.layout.meta;
    const said = plot.parentElement.querySelector(".chosen");
    let lane = -1, stop = 0;
    plot.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target !== plot) return;
      const last = () => lanes[Math.max(0, lane)].stops.length - 1;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        lane = lane < 0 ? 0 : Math.max(0, Math.min(lanes.length - 1, lane + (event.key === "ArrowDown" ? 1 : -1)));
        stop = 0;
      } else if (event.key === "ArrowRight") stop = lane < 0 ? 0 : Math.min(last(), stop + 1);
      else if (event.key === "ArrowLeft") stop = Math.max(0, stop - 1);
      else if (event.key === "Home") stop = 0;
      else if (event.key === "End") stop = last();
      else return;
      event.preventDefault();
      lane = Math.max(0, lane);
      chosen.set(plot, lane);
      const { name, stops } = lanes[lane];
      said.textContent = `${name}, ${stop + 1} of ${stops.length}: ${stops[stop][1]} at ${stops[stop][0].toFixed(2)} s`;
      seek(stops[stop][0]);
      mark(plot);
    });
  }

  // The video: clicks on charts, on [data-seek] buttons and links of the form #frame=120 jump it.
  const video = document.querySelector("video[data-fps]");
  if (!video) return;
  const fps = Number(video.dataset.fps);
  const readout = document.querySelector("[data-readout]");
  const frame = () => Math.floor(video.currentTime * fps + 1e-3);
  let wanted = 0, awaited = false; // the moment to show, and whether the video is being opened for it
  function show() {
    awaited = false;
    video.currentTime = wanted;
  }
  function seek(seconds) {
    wanted = (Math.floor(seconds * fps + 1e-3) + 0.5) / fps;
    video.pause();
    if (video.readyState) show();
    else if (!awaited) {
      awaited = true;
      video.addEventListener("loadedmetadata", show, { once: true });
      video.preload = "auto";
      video.load();
    }
    const { top, bottom } = video.getBoundingClientRect();
    if (top < 0 || bottom > innerHeight) video.scrollIntoView({ block: "center" });
  }
  function mark(plot) { // the video's moment, and the lane that keys chose
    const x = frame() / fps, lane = chosen.get(plot);
    const shapes = [{ type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, line: { color: "#d55e00", width: 1.5 } }];
    if (lane !== undefined) shapes.push({ type: "rect", xref: "paper", x0: 0, x1: 1, y0: lane - 0.5, y1: lane + 0.5, line: { color: "#d55e00", width: 1.5 } });
    window.Plotly.relayout(plot, { shapes });
  }
  function moved() {
    if (readout) readout.textContent = `frame ${frame()}, ${(frame() / fps).toFixed(2)} s`;
    for (const plot of drawn) if ("seeks" in plot.dataset) mark(plot);
  }
  for (const name of ["timeupdate", "seeked"]) video.addEventListener(name, moved);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-seek], [data-step]");
    if (!button) return;
    if ("seek" in button.dataset) seek(Number(button.dataset.seek) / fps);
    else seek((frame() + Number(button.dataset.step)) / fps);
  });
  function followHash() {
    const asked = /^#frame=(\d+)$/.exec(location.hash);
    if (asked) seek(Number(asked[1]) / fps);
  }
  addEventListener("hashchange", followHash);
  followHash();
})();
