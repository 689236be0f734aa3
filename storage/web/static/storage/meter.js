// Brings the sheet of a meter to life: every value is there already, this replaces those that change.
import "./copy.js";
import { freshness } from "./freshness.js";
import { listen } from "./listen.js";
import "./refresh.js";
import { findRows, showRows } from "./rows.js";

const given = JSON.parse(document.getElementById("meter-script").textContent);
const fresh = freshness(given);
const find = findRows(given.words.found);

listen(given.live, {
  status: fresh.status,
  reading: (news) => {
    fresh.reading(news);
    showRows(news.rows, news.whole_table);
    find();
  },
});
