// The bars of a month's days or a year's months: what each cost, part by part.
import { Bars } from "./bars.js";

const given = JSON.parse(document.getElementById("costs-script").textContent);
new Bars(document.querySelector("[data-chart]"), given);
