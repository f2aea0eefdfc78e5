// Sweeps over each row several times: softmax, normalisation and their gradients in one kernel. On level l, FOLDS folds of
// load(l, ...) run at once; what they make is there for the next level, and at last for what is stored. A row is all (outer, inner)
// of one `o`; inner elements are neighbours, taken four at a time. One invocation takes a row: no workgroup memory, no barriers.
// Folds go turn by turn and block by block, so that rounding does not add up along all of a row; their order is fixed by the sizes alone.
// Grid: (ceil(rows / WORKGROUP), 1, 1), folded into y beyond 65,535.

const WORKGROUP = 4u;
const BLOCK = 64u; // turns
const RUN = 1u; // vec4s at a turn: a divisor of those of `inner`
const RAGGED = 1u; // 0: no vec4 reaches past the end of `inner`
const MOMENTS = 0u; // 1: levels 0 and 1 are a sum, and one of squares around `middle`, made of it, of the same numbers
const SOFT = 0u; // 1: levels 0 and 1 are a maximum, and a sum of exponentials of how far the same numbers are below it
const TOPS = 1u; // turns of a row, where exponentials are kept
const FIRST = 0u; // level that is swept over first: 2 after moments or exponentials
const LEVELS = 1u;
const FOLDS = 1u; // of the level with most
const STORES = 1u; // 0: nothing but values of rows

struct Params { rows: u32, outer: u32, inner: u32 } // inner: elements

@group(0) @binding(0) var<uniform> params: Params;

fn prepare(o: u32) { } // @hook
fn load(level: u32, o: u32, outer: u32, vec: u32) -> array<vec4<f32>, FOLDS> { return array<vec4<f32>, FOLDS>(); } // @hook
fn identity(level: u32, fold: u32) -> f32 { return 0.0; } // @hook
fn combine(level: u32, fold: u32, a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return a + b; } // @hook
fn take(level: u32, o: u32, found: array<f32, FOLDS>) { } // @hook
fn middle() -> f32 { return 0.0; } // @hook
fn keep(o: u32, outer: u32, vec: u32, value: vec4<f32>) { } // @hook
fn begin_turn(turn: u32) { } // @hook
fn store(o: u32, outer: u32, vec: u32, count: u32) { } // @hook
fn store_row(o: u32) { } // @hook

fn exp_near_0(r: f32) -> f32 { return exp(r); } // @lib

fn nearest(x: f32) -> i32 { return i32(round(x)); } // @lib
fn take_ln2(x: f32, k: f32) -> f32 { return x - k * 0.693147181; } // @lib
fn add_exponent(y: f32, exponent: i32) -> f32 { return ldexp(y, exponent); } // @lib

// e^x for x of at most 0, as ieee_exp has it, but for NaN, of which it makes anything.
fn exp_down(x: f32) -> f32 {
  let k = nearest(x * 1.44269504);
  return select(add_exponent(exp_near_0(take_ln2(x, f32(k))), k), 0.0, x < -87.33654);
}

fn exp_down4(x: vec4<f32>) -> vec4<f32> { return vec4<f32>(exp_down(x.x), exp_down(x.y), exp_down(x.z), exp_down(x.w)); }

var<private> tops: array<f32, TOPS>; // what the exponentials of a turn are around
var<private> is_exact = false; // they are all around the maximum

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let o = id.y * groups.x * WORKGROUP + id.x;
  if (o >= params.rows) { return; }
  let inner_vecs = (params.inner + 3u) / 4u;
  let whole = params.inner / 4u; // vec4s without a ragged end
  let tail = params.inner % 4u;
  let lanes = vec4<bool>(true, tail > 1u, tail > 2u, false);
  let end = params.outer * inner_vecs;

  prepare(o);
  // @unroll
  for (var once = 0u; once < MOMENTS; once++) {
    // each lane's squares around its mean so far, as Welford has them (1962), a turn at a time
    var all_sum = vec4<f32>();
    var all_squares = vec4<f32>();
    var mean = load(0u, o, 0u, 0u)[0];
    var turns = 0.0;
    var outer = 0u;
    var vec = 0u;
    for (var block = 0u; block < end; block += BLOCK * RUN) {
      var part_sum = vec4<f32>();
      var part_squares = vec4<f32>();
      for (var t = block; t < min(block + BLOCK * RUN, end); t += RUN) {
        var sum = vec4<f32>(); // infinite where numbers are: `off` would make NaN of that
        var off = vec4<f32>();
        var squares = vec4<f32>();
        // @unroll
        for (var j = 0u; j < RUN; j++) {
          let value = load(0u, o, outer, vec + j)[0];
          let difference = value - mean;
          sum += value;
          off += difference;
          squares += difference * difference;
        }
        turns += 1.0;
        let step = off * (1.0 / (f32(RUN) * turns));
        part_sum += sum;
        part_squares += squares - off * step;
        mean += step;
        vec += RUN;
        if (vec == inner_vecs) { vec = 0u; outer++; }
      }
      all_sum += part_sum;
      all_squares += part_squares;
    }
    let count = f32(RUN) * turns; // of a lane
    let sum = (all_sum.x + all_sum.y) + (all_sum.z + all_sum.w);
    let apart = all_sum / count - sum / (4.0 * count);
    let lane_squares = all_squares + count * apart * apart;
    var found: array<f32, FOLDS>;
    found[0] = sum;
    take(0u, o, found);
    let distance = sum / (4.0 * count) - middle();
    var squares = (lane_squares.x + lane_squares.y) + (lane_squares.z + lane_squares.w) + 4.0 * count * distance * distance;
    if ((bitcast<u32>(squares) & 0x7fffffffu) > 0x7f800000u) {
      // NaN, maybe of an infinity less another: as the squares themselves have it
      squares = 0.0;
      for (var t = 0u; t < end; t++) {
        let terms = load(1u, o, t / inner_vecs, t % inner_vecs)[0];
        squares += (terms.x + terms.y) + (terms.z + terms.w);
      }
    }
    found[0] = squares;
    take(1u, o, found);
  }
  // @unroll
  for (var once = 0u; once < SOFT; once++) {
    // exponentials around the largest number so far (Milakov and Gimelshein, 2018), a turn at a time; finite at the start, for
    // an infinity less itself is NaN. What a sum rounds off is subtracted from the next turn (Kahan, 1965)
    var top = -3.4028234e38;
    var sum = 0.0;
    var excess = 0.0;
    var probe = vec4<f32>(); // NaN if a number is
    var outer = 0u;
    var vec = 0u;
    for (var t = 0u; t < end; t += RUN) {
      var values: array<vec4<f32>, RUN>;
      // @unroll
      for (var j = 0u; j < RUN; j++) {
        values[j] = load(0u, o, outer, vec + j)[0];
      }
      var most = values[0];
      // @unroll
      for (var j = 1u; j < RUN; j++) {
        most = select(most, values[j], values[j] > most);
      }
      let pairs = select(most, most.yxwz, most.yxwz > most);
      let largest = select(pairs, pairs.zwxy, pairs.zwxy > pairs).x;
      let next = select(top, largest, largest > top);
      var turn = vec4<f32>();
      // @unroll
      for (var j = 0u; j < RUN; j++) {
        let value = exp_down4(values[j] - next);
        keep(o, outer, vec + j, value);
        turn += value;
        probe += values[j];
      }
      let scale = exp_down(top - next);
      let before = sum * scale;
      let added = ((turn.x + turn.y) + (turn.z + turn.w)) - excess * scale;
      sum = before + added;
      excess = (sum - before) - added;
      top = next;
      tops[min(t / RUN, TOPS - 1u)] = top;
      vec += RUN;
      if (vec == inner_vecs) { vec = 0u; outer++; }
    }
    let any = (probe.x + probe.y) + (probe.z + probe.w) + sum;
    is_exact = bitcast<u32>(sum) == 0u || (bitcast<u32>(any) & 0x7fffffffu) > 0x7f800000u;
    if (is_exact) {
      // of infinities or NaN: as the levels themselves have it
      var most = vec4<f32>(identity(0u, 0u));
      for (var t = 0u; t < end; t++) {
        most = combine(0u, 0u, most, load(0u, o, t / inner_vecs, t % inner_vecs)[0]);
      }
      let pairs = combine(0u, 0u, most, most.yxwz);
      top = combine(0u, 0u, pairs, pairs.zwxy).x;
    }
    var found: array<f32, FOLDS>;
    found[0] = top;
    take(0u, o, found);
    if (is_exact) {
      sum = 0.0;
      for (var t = 0u; t < end; t++) {
        let terms = load(1u, o, t / inner_vecs, t % inner_vecs)[0];
        sum += (terms.x + terms.y) + (terms.z + terms.w);
      }
    }
    found[0] = sum;
    take(1u, o, found);
  }
  // @unroll
  for (var level = FIRST; level < LEVELS; level++) {
    var all: array<vec4<f32>, FOLDS>;
    // @unroll
    for (var k = 0u; k < FOLDS; k++) {
      all[k] = vec4<f32>(identity(level, k));
    }
    var outer = 0u;
    var vec = 0u;
    for (var block = 0u; block < end; block += BLOCK * RUN) {
      var part: array<vec4<f32>, FOLDS>;
      // @unroll
      for (var k = 0u; k < FOLDS; k++) {
        part[k] = vec4<f32>(identity(level, k));
      }
      for (var t = block; t < min(block + BLOCK * RUN, end); t += RUN) {
        begin_turn(t / RUN);
        var turn: array<vec4<f32>, FOLDS>;
        // @unroll
        for (var k = 0u; k < FOLDS; k++) {
          turn[k] = vec4<f32>(identity(level, k));
        }
        // @unroll
        for (var j = 0u; j < RUN; j++) {
          var values = load(level, o, outer, vec + j);
          if (RAGGED > 0u) {
            let is_there = vec4<bool>(vec + j < whole) | lanes;
            // @unroll
            for (var k = 0u; k < FOLDS; k++) {
              values[k] = select(vec4<f32>(identity(level, k)), values[k], is_there);
            }
          }
          // @unroll
          for (var k = 0u; k < FOLDS; k++) {
            turn[k] = combine(level, k, turn[k], values[k]);
          }
        }
        // @unroll
        for (var k = 0u; k < FOLDS; k++) {
          part[k] = combine(level, k, part[k], turn[k]);
        }
        vec += RUN;
        if (vec == inner_vecs) { vec = 0u; outer++; }
      }
      // @unroll
      for (var k = 0u; k < FOLDS; k++) {
        all[k] = combine(level, k, all[k], part[k]);
      }
    }
    var found: array<f32, FOLDS>;
    // @unroll
    for (var k = 0u; k < FOLDS; k++) {
      let pairs = combine(level, k, all[k], all[k].yxwz);
      found[k] = combine(level, k, pairs, pairs.zwxy).x;
    }
    take(level, o, found);
  }
  if (STORES > 0u) {
    var turn = 0u;
    for (var outer = 0u; outer < params.outer; outer++) {
      for (var vec = 0u; vec < inner_vecs; vec += RUN) {
        begin_turn(turn);
        turn++;
        // @unroll
        for (var j = 0u; j < RUN; j++) {
          store(o, outer, vec + j, min(4u, params.inner - 4u * (vec + j)));
        }
      }
    }
  }
  store_row(o);
}
