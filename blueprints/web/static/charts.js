// Draws every [data-chart] from the JSON inside it. Series differ by pattern as well as by colour, so that
// a chart reads in print and without colour vision; the table beside it holds the same figures as text.
(function () {
  "use strict";

  var chinese = document.documentElement.lang.indexOf("zh") === 0;
  var drawn = [];

  function trim(value, places) {
    return String(Number(value.toFixed(places))).replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ",");
  }

  function money(yuan) {
    var size = Math.abs(yuan);
    if (chinese) {
      if (size >= 1e8) return trim(yuan / 1e8, 2) + "亿";
      if (size >= 1e4) return trim(yuan / 1e4, 2) + "万";
      return trim(yuan, 2);
    }
    if (size >= 1e9) return "¥" + trim(yuan / 1e9, 2) + "bn";
    if (size >= 1e6) return "¥" + trim(yuan / 1e6, 2) + "m";
    if (size >= 1e3) return "¥" + trim(yuan / 1e3, 1) + "k";
    return "¥" + trim(yuan, 2);
  }

  var say = {
    money: money,
    rate: function (percent) { return percent.toFixed(2) + "%"; },
    share: function (percent) { return trim(percent, 1) + "%"; },
    count: function (number) { return trim(number, 0); }
  };

  function token(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function options(data) {
    var format = say[data.unit] || say.count;
    var ink = token("--chart-ink"), faint = token("--chart-faint"), ground = token("--chart-ground");
    var sideways = data.kind === "hbar";
    var step = data.kind === "step";
    var line = data.kind === "line" || step;
    var many = data.series.length > 1;
    var category = {
      type: "category", data: data.categories, inverse: sideways, axisTick: { show: false },
      axisLine: { lineStyle: { color: faint } },
      axisLabel: { color: ink, hideOverlap: true, width: sideways ? 110 : undefined, overflow: "truncate" }
    };
    var value = {
      type: "value", splitNumber: 4, minInterval: data.unit === "count" ? 1 : 0, scale: line && data.unit === "rate",
      axisLabel: { color: ink, formatter: format, hideOverlap: true }, splitLine: { lineStyle: { color: faint, type: "dashed" } }
    };
    return {
      animationDuration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 400,
      aria: { enabled: true, decal: { show: many && !line } },
      color: [1, 2, 3, 4, 5].map(function (n) { return token("--chart-" + n); }),
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: { left: 4, right: sideways ? 56 : 12, top: many ? 36 : 12, bottom: 4, containLabel: true },
      legend: many ? { type: "scroll", top: 0, left: 0, itemGap: 16, textStyle: { color: ink } } : undefined,
      tooltip: {
        trigger: "axis", axisPointer: { type: line ? "line" : "shadow" }, confine: true, backgroundColor: ground,
        borderColor: faint, textStyle: { color: ink }, valueFormatter: function (v) { return v == null ? "—" : format(v); }
      },
      xAxis: sideways ? value : category,
      yAxis: sideways ? category : value,
      series: data.series.map(function (series, index) {
        return {
          name: series.name, data: series.values, type: line ? "line" : "bar", stack: data.kind === "stack" ? "all" : undefined,
          step: step ? "end" : false, showSymbol: !step,
          barMaxWidth: 32, symbol: ["circle", "rect", "triangle", "diamond"][index % 4], symbolSize: 7, connectNulls: false,
          lineStyle: { width: 2.5, type: ["solid", "dashed", "dotted"][index % 3] },
          itemStyle: { borderRadius: data.kind === "stack" ? 0 : sideways ? [0, 3, 3, 0] : [3, 3, 0, 0] },
          label: { show: sideways && !many, position: "right", color: ink, formatter: function (p) { return format(p.value); } }
        };
      })
    };
  }

  function draw() {
    drawn = drawn.filter(function (one) { return document.contains(one.place) || one.chart.dispose(); });
    document.querySelectorAll("[data-chart]").forEach(function (figure) {
      var place = figure.querySelector(".chart-canvas");
      if (!window.echarts || place.dataset.drawn) return;
      place.dataset.drawn = "yes";
      var data = JSON.parse(figure.querySelector(".chart-data").textContent);
      var chart = window.echarts.init(place, null, { renderer: "svg" });
      chart.setOption(options(data));
      new ResizeObserver(function () { chart.resize(); }).observe(place);
      drawn.push({ place: place, chart: chart, data: data });
    });
  }

  document.addEventListener("cuohe:theme", function () {
    drawn.forEach(function (one) { one.chart.setOption(options(one.data), true); });
  });

  window.cuoheCharts = { draw: draw };
  draw();
})();
