/* Draws moments: a list of {moment, width} in JSON comes in, a list of lists of SVG goes out. With
   `time` as well, the moment is what a recording of it alone says of that time. */

import {readFileSync} from "node:fs";
import {draw} from "../../notebooks/see/static/draw.js";
import {Recording} from "../../notebooks/see/static/recording.js";
import {toText} from "../../notebooks/see/static/svg.js";

function freeze(value) {
  if (value && typeof value === "object") Object.values(Object.freeze(value)).forEach(freeze);
  return value;
}

const wanted = JSON.parse(readFileSync(0, "utf8"));
const drawn = wanted.map(({moment, width, time}) => {
  const seen = time === undefined ? moment : new Recording({}, [moment]).at(time);
  return draw(freeze(seen), width).map(toText);
});
process.stdout.write(JSON.stringify(drawn));
