// The norm of all gradients from its parts, and the factor min(max_norm / (norm + 1e-6), 1). Lines marked @lib stand in for
// shaders/lib.
// Grid: one workgroup.

const WORKGROUP = 64u;
const KIND = 2u; // as in gradNorm

struct Params { count: u32 } // partial norms

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> total: array<f32>;
@group(0) @binding(2) var<storage, read_write> factor: array<f32>;
@group(0) @binding(3) var<uniform> settings: vec4<f32>; // p, 1 / p, max norm
@group(0) @binding(4) var<uniform> params: Params;

fn norm_identity(kind: u32) -> f32 { return 0.0; } // @lib
fn norm_join(kind: u32, a: f32, b: f32) -> f32 { return a + b; } // @lib
fn norm_root(kind: u32, folded: f32, inverse: f32) -> f32 { return sqrt(folded); } // @lib
fn minimum(a: f32, b: f32) -> f32 { return min(a, b); } // @lib

var<workgroup> folded: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32) {
  var own = norm_identity(KIND);
  for (var i = local; i < params.count; i += WORKGROUP) { own = norm_join(KIND, own, partials[i]); }
  folded[local] = own;
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) { folded[local] = norm_join(KIND, folded[local], folded[local + half]); }
  }
  if (local == 0u) {
    let norm = norm_root(KIND, folded[0], settings.y);
    total[0] = norm;
    factor[0] = minimum(settings.z / (norm + 1e-6), 1.0);
  }
}
