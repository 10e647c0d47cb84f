/* Where the parts of a picture stand, from top to bottom, in pixels. */

export const HEIGHT = 566;
export const BANDS = {processes: {y: 62, height: 188}, kernel: {y: 260, height: 134}};
export const PROCESSES = {top: 82, bottom: 234};
export const CHILDREN = 112;
export const KERNEL = {top: 286, bottom: 384};
export const OUTSIDE = 402, CLIENTS = 404;
export const REQUESTS = 484;

export const EDGE = 8;  // between the edge of a band and what stands in it
export const WIDE = 620;  // from this width on there is room for more words

/* The largest squares of which so many fit. */
export function gridFor(count, width, height, most) {
  for (let size = most; size > 2; size -= 0.5) {
    const columns = Math.floor(width / size);
    if (columns * Math.floor(height / size) >= count) return {size, columns};
  }
  return {size: 2, columns: Math.floor(width / 2)};
}

