// Rules of whole-arena updates: momentumSgd, ema and momentumSgdEma share theirs, so that their bits agree; momentumSgdUniform has plain_sgd.
// The line marked @lib stands in for shaders/lib/math.wgsl.

fn ieee_sqrt(x: f32) -> f32 { return sqrt(x); } // @lib

fn square_roots(x: vec4<f32>) -> vec4<f32> { return vec4<f32>(ieee_sqrt(x.x), ieee_sqrt(x.y), ieee_sqrt(x.z), ieee_sqrt(x.w)); }

/// One parameter group's settings; the last flags are 0 or 1. `first`, for plain_sgd: whether no parameter has had a gradient before.
struct Group {
  lr: f32, momentum: f32, one_minus_dampening: f32, weight_decay: f32,
  nesterov: f32, classical: f32, maximize: f32, first: f32,
}

/// What a segment (one parameter) has had so far: no gradient in this step, its first one, or earlier ones too.
const STATE_NONE = 0u;
const STATE_FIRST = 1u;
const STATE_LIVE = 2u;

/// The gradient with its sign for descent, and weight decay added.
fn effective_grad(grad: vec4<f32>, param: vec4<f32>, weight_decay: f32, maximize: f32) -> vec4<f32> {
  let ascent = select(grad, -grad, maximize != 0.0);
  return select(ascent, ascent + weight_decay * param, weight_decay != 0.0);
}

struct Sgd { param: vec4<f32>, momentum: vec4<f32> }

/// torch.optim.SGD, or with `classical` the form of Sutskever et al. 2013, whose momentum holds the learning rate.
/// Every choice is a select: branches cost more, and a product with 0 would turn an unused infinity into NaN.
fn momentum_sgd(group: Group, state: u32, param: vec4<f32>, grad: vec4<f32>, momentum: vec4<f32>) -> Sgd {
  let none = state == STATE_NONE;
  let live = state == STATE_LIVE;
  let plain = group.momentum == 0.0;
  let classical = (group.classical != 0.0) & !plain;
  let decayed = effective_grad(grad, param, group.weight_decay, group.maximize);
  let push = select(decayed, -group.lr * decayed, classical); // what the gradient adds to the direction
  let fed = select(group.one_minus_dampening * decayed, push, classical); // and to the momentum
  let velocity = select(push, group.momentum * momentum + fed, live);
  let ahead = select(velocity, push + group.momentum * velocity, group.nesterov != 0.0);
  let direction = select(ahead, decayed, plain);
  let moved = select(param - group.lr * direction, param + direction, classical);
  return Sgd(select(moved, param, none), select(velocity, momentum, none | plain));
}

/// The same for groups with momentum and without nesterov, classical or maximize.
fn plain_sgd(group: Group, param: vec4<f32>, grad: vec4<f32>, momentum: vec4<f32>) -> Sgd {
  let decayed = select(grad, grad + group.weight_decay * param, group.weight_decay != 0.0);
  let velocity = select(group.momentum * momentum + group.one_minus_dampening * decayed, decayed, group.first != 0.0);
  return Sgd(param - group.lr * velocity, velocity);
}

/// MoCo's update of the key encoder (He et al. 2020, eq. 2), in the expression of the authors' code. With m = 0 a copy: a product
/// with 0 would keep a NaN.
fn ema(key: vec4<f32>, param: vec4<f32>, m: f32, one_minus_m: f32) -> vec4<f32> {
  return select(key * m + param * one_minus_m, param, m == 0.0);
}

/// Adam's settings of a group. `keep` is what AdamW's decay leaves of a parameter, 1 for Adam; the last flags are 0 or 1.
struct AdamGroup {
  beta1: f32, one_minus_beta1: f32, beta2: f32, one_minus_beta2: f32,
  eps: f32, weight_decay: f32, keep: f32, maximize: f32,
  amsgrad: f32, unused0: f32, unused1: f32, unused2: f32,
}

struct Moments { first: vec4<f32>, second: vec4<f32> }

/// Moving averages of the gradient and of its square (Kingma & Ba 2015, Algorithm 1).
fn adam_moments(group: AdamGroup, param: vec4<f32>, grad: vec4<f32>, exp_avg: vec4<f32>, exp_avg_sq: vec4<f32>) -> Moments {
  let g = effective_grad(grad, param, group.weight_decay, group.maximize);
  let first = group.beta1 * exp_avg + group.one_minus_beta1 * g;
  return Moments(first, group.beta2 * exp_avg_sq + group.one_minus_beta2 * g * g);
}

/// The step itself; `rate` holds lr / (1 - beta1^t) and sqrt(1 - beta2^t).
fn adam_step(group: AdamGroup, rate: vec2<f32>, param: vec4<f32>, first: vec4<f32>, second: vec4<f32>) -> vec4<f32> {
  return param * group.keep - rate.x * first / (square_roots(second) / rate.y + group.eps);
}

/// RMSprop's settings of a group; the last flags are 0 or 1.
struct RmsPropGroup {
  lr: f32, alpha: f32, one_minus_alpha: f32, eps: f32,
  weight_decay: f32, momentum: f32, centered: f32, maximize: f32,
}

/// LARS's settings of a group.
struct LarsGroup { lr: f32, momentum: f32, weight_decay: f32, trust_coefficient: f32 }

/// Which of the elements `first` to `first + 3` come before `end`: padding may hold anything.
fn is_within4(first: u32, end: u32) -> vec4<bool> {
  return vec4<u32>(first, first + 1u, first + 2u, first + 3u) < vec4<u32>(end);
}
