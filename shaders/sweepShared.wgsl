// What sweep computes, with a workgroup for each row: its invocations take the row's vec4s in turn, and fold what they have in
// workgroup memory. For adapters with many lanes, which read neighbours at once.
// Grid: (rows, 1, 1), folded into y beyond 65,535.

const WORKGROUP = 64u; // a power of two
const BLOCK = 64u; // vec4s of one invocation
const LEVELS = 1u;
const FOLDS = 1u; // of the level with most
const STORES = 1u; // 0: nothing but values of rows

struct Params { rows: u32, outer: u32, inner: u32 } // inner: elements

@group(0) @binding(0) var<uniform> params: Params;

var<workgroup> shared_folds: array<array<vec4<f32>, FOLDS>, WORKGROUP>;

fn prepare(o: u32) { } // @hook
fn load(level: u32, o: u32, outer: u32, vec: u32) -> array<vec4<f32>, FOLDS> { return array<vec4<f32>, FOLDS>(); } // @hook
fn identity(level: u32, fold: u32) -> f32 { return 0.0; } // @hook
fn combine(level: u32, fold: u32, a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return a + b; } // @hook
fn take(level: u32, o: u32, found: array<f32, FOLDS>) { } // @hook
fn store(o: u32, outer: u32, vec: u32, count: u32) { } // @hook
fn store_row(o: u32) { } // @hook

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroup.y * groups.x + workgroup.x;
  let is_row = row < params.rows; // all invocations come to the barriers
  let o = min(row, params.rows - 1u);
  let inner_vecs = (params.inner + 3u) / 4u;
  let whole = params.inner / 4u; // vec4s without a ragged end
  let tail = params.inner % 4u;
  let lanes = vec4<bool>(true, tail > 1u, tail > 2u, false);
  let end = params.outer * inner_vecs;

  prepare(o);
  // @unroll
  for (var level = 0u; level < LEVELS; level++) {
    var all: array<vec4<f32>, FOLDS>;
    // @unroll
    for (var k = 0u; k < FOLDS; k++) {
      all[k] = vec4<f32>(identity(level, k));
    }
    for (var block = lane; block < end; block += BLOCK * WORKGROUP) {
      var part: array<vec4<f32>, FOLDS>;
      // @unroll
      for (var k = 0u; k < FOLDS; k++) {
        part[k] = vec4<f32>(identity(level, k));
      }
      for (var t = block; t < min(block + BLOCK * WORKGROUP, end); t += WORKGROUP) {
        let vec = t % inner_vecs;
        let values = load(level, o, t / inner_vecs, vec);
        let is_there = vec4<bool>(vec < whole) | lanes;
        // @unroll
        for (var k = 0u; k < FOLDS; k++) {
          part[k] = combine(level, k, part[k], select(vec4<f32>(identity(level, k)), values[k], is_there));
        }
      }
      // @unroll
      for (var k = 0u; k < FOLDS; k++) {
        all[k] = combine(level, k, all[k], part[k]);
      }
    }
    workgroupBarrier(); // the level before has been read
    shared_folds[lane] = all;
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (lane < half) {
        // @unroll
        for (var k = 0u; k < FOLDS; k++) {
          shared_folds[lane][k] = combine(level, k, shared_folds[lane][k], shared_folds[lane + half][k]);
        }
      }
    }
    workgroupBarrier();
    var found: array<f32, FOLDS>;
    // @unroll
    for (var k = 0u; k < FOLDS; k++) {
      let folded = shared_folds[0][k];
      let pairs = combine(level, k, folded, folded.yxwz);
      found[k] = combine(level, k, pairs, pairs.zwxy).x;
    }
    take(level, o, found);
  }
  if (is_row) {
    if (STORES > 0u) {
      for (var t = lane; t < end; t += WORKGROUP) {
        let vec = t % inner_vecs;
        store(o, t / inner_vecs, vec, min(4u, params.inner - 4u * vec));
      }
    }
    if (lane == 0u) { store_row(o); }
  }
}
