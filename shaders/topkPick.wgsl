// Second half of a radix select's turn: from the histograms, the digit in which the k-th best of each row lies.
// After the last turn a row's prefix is its k-th key, its rank says how many of that key belong to the best k, and tallies
// say how many better and how many equal elements each chunk holds.
// Grid: one invocation a row, folded into x and y.

const WORKGROUP = 4u;

struct Params { rows: u32, k: u32, chunks: u32, shift: u32, mask: u32 } // mask: bits above the digit; 0 in the first turn

@group(0) @binding(0) var<storage, read> histograms: array<u32>; // [rows, chunks, 256]
@group(0) @binding(1) var<storage, read_write> thresholds: array<vec2<u32>>; // of each row: prefix, rank within it
@group(0) @binding(2) var<storage, read_write> tallies: array<vec2<u32>>; // [rows, chunks]: better, equal
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = (workgroup.y * workgroups.x + workgroup.x) * WORKGROUP + lane;
  if (row >= params.rows) {
    return;
  }
  let first = params.mask == 0u;
  let chunk0 = row * params.chunks;
  var rank = select(thresholds[row].y, params.k, first); // from 1
  var digit = 256u;
  var count = 0u; // elements with this digit
  loop {
    digit--;
    count = 0u;
    for (var chunk = chunk0; chunk < chunk0 + params.chunks; chunk++) {
      count += histograms[chunk * 256u + digit];
    }
    if (rank <= count || digit == 0u) {
      break;
    }
    rank -= count;
  }
  for (var chunk = chunk0; chunk < chunk0 + params.chunks; chunk++) {
    var better = select(tallies[chunk].x, 0u, first);
    for (var above = digit + 1u; above < 256u; above++) {
      better += histograms[chunk * 256u + above];
    }
    tallies[chunk] = vec2(better, histograms[chunk * 256u + digit]);
  }
  thresholds[row] = vec2((thresholds[row].x & params.mask) | (digit << params.shift), rank);
}
