// First half of a radix select's turn: counts the digits (8 bits of the sort key at `shift`) of the elements
// whose higher bits are the row's prefix so far. Lines marked @lib stand in for shaders/lib/sortKey.wgsl.
// Grid: one invocation a chunk of a row, linear over (row, chunk), folded into x and y.

const WORKGROUP = 4u;

alias Input = f32;

struct Params { rows: u32, n: u32, chunk: u32, chunks: u32, flip: u32, shift: u32, mask: u32 } // mask: the higher bits

@group(0) @binding(0) var<storage, read> input: array<Input>;
@group(0) @binding(1) var<storage, read> thresholds: array<vec2<u32>>; // of each row: prefix, rank within it
@group(0) @binding(2) var<storage, read_write> histograms: array<u32>; // [rows, chunks, 256]
@group(0) @binding(3) var<uniform> params: Params;

fn sort_key(x: f32, flip: u32) -> u32 { return bitcast<u32>(x) ^ flip; } // @lib
fn key_of(x: Input) -> u32 { return sort_key(x, params.flip); } // @hook

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let owner = (workgroup.y * workgroups.x + workgroup.x) * WORKGROUP + lane;
  let row = owner / params.chunks;
  if (row >= params.rows) {
    return;
  }
  let begin = owner % params.chunks * params.chunk;
  let end = min(begin + params.chunk, params.n);
  let prefix = thresholds[row].x;
  var counts: array<u32, 256>;
  for (var i = begin; i < end; i++) {
    let key = key_of(input[row * params.n + i]);
    if (((key ^ prefix) & params.mask) == 0u) {
      counts[(key >> params.shift) & 255u]++;
    }
  }
  for (var digit = 0u; digit < 256u; digit++) {
    histograms[owner * 256u + digit] = counts[digit];
  }
}
