// tests/playground/ask.js: what the page plays for the fragments of links in a file, without the page.
//
// node ask.js FOLDER FILE questions: a line for each fragment, the input of native.cpp
// node ask.js FOLDER FILE answers: the lines that native.cpp prints for it, from the WebAssembly in FOLDER
"use strict";

const fs = require("fs");
const path = require("path");

const [folder, file, what] = process.argv.slice(2);
const load = (name) => require(path.resolve(folder, name));
globalThis.StormCharts = load("charts.js");
const Settings = load("settings.js");
const {Engine, Run} = load("run.js");
const presets = load("presets.js");

async function main() {
  const fragments = fs.readFileSync(file, "utf8").split("\n").filter(Boolean);
  const choices = fragments.map((text) => Settings.Choice.fromFragment(presets, text));
  if (what === "questions") {
    for (const choice of choices) console.log(JSON.stringify({scenario: choice.scenario("mine"), seed: choice.seed}));
    return;
  }
  const engine = await Engine.load(load("storm.js"));
  for (const choice of choices) {
    const scenario = choice.scenario("mine");
    const run = new Run(engine, scenario, choice.seed);
    while (!run.advance(choice.duration(), 20)); // in slices, as the page does
    console.log(run.result());
    console.log(JSON.stringify(engine.cpp(scenario)));
    run.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
