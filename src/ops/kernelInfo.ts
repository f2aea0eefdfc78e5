/**
 * What each kernel family must be told, by family name. Ops' lowerings produce these, kernels consume them:
 * the one contract between the two. Everything is an element count unless its name says otherwise.
 */

/** A matrix operand read in place: element (b, row, col) is at `offset + b * batch + row * row + col * col`. */
export interface MatrixStrides {
  readonly offset: number;
  readonly batch: number;
  readonly row: number;
  readonly col: number;
}

/** `C[b, m, n] = sum_k A[b, m, k] * B[b, k, n]`; C is contiguous. Inputs: a, b. */
export interface MatmulInfo {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: MatrixStrides;
  readonly b: MatrixStrides;
}

/** Geometry of a 2-d convolution, NCHW; shared by the forward and both gradients. */
export interface Conv2dInfo {
  readonly batch: number;
  readonly inChannels: number;
  readonly height: number;
  readonly width: number;
  readonly outChannels: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly padHeight: number;
  readonly padWidth: number;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
  readonly groups: number;
  /** Of conv2dGradWeight: whether it makes the sum of each channel of gradOut too, as a second output. */
  readonly hasBias?: boolean;
}

/** Geometry of a 2-d pooling window, NCHW with `planes = n * c`. */
export interface Pool2dInfo {
  readonly planes: number;
  readonly height: number;
  readonly width: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly padHeight: number;
  readonly padWidth: number;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
}

/** Windows of nearly equal size that cover a plane, NCHW with `planes = n * c`. */
export interface AdaptivePool2dInfo {
  readonly planes: number;
  readonly height: number;
  readonly width: number;
  readonly outHeight: number;
  readonly outWidth: number;
}

/** Indices of the k largest (or smallest) of each row of `[rows, n]`, best first, ties by lower index; i32 `[rows, k]`. */
export interface TopkInfo {
  readonly rows: number;
  readonly n: number;
  readonly k: number;
  readonly largest: boolean;
  readonly dtype: SortKeyType;
}

/** dtypes that have an order on a GPU. */
export type SortKeyType = "f32" | "i32" | "u32";

/** Places that put each row of `[rows, n]` in order, equals by place; i32 `[rows, n]`. */
export interface SortInfo {
  readonly rows: number;
  readonly n: number;
  readonly descending: boolean;
  readonly dtype: SortKeyType;
}

/** What a scan folds: numbers, or, for `maxIndex` and `minIndex`, places of the largest and smallest so far. */
export type ScanFold = "sum" | "prod" | "logSumExp" | "linear" | "maxIndex" | "minIndex";

/** Inputs: query `[queries, dim]`, key `[keys, dim]`, and of each query its own product (contrast) or the log of the sum (contrastMean), `[queries]`; `dim` is a multiple of 4. */
export interface ContrastInfo {
  readonly queries: number;
  readonly keys: number;
  readonly dim: number;
  /** Of the products: 1 / temperature. */
  readonly scale: number;
  /** Where contrastMean finds the total of query i: at `offset + stride * i`; by default at i. */
  readonly total?: { readonly offset: number; readonly stride: number };
}

/**
 * Folds of all elements up to each one along the middle of `[outer, n, inner]`. Inputs: input; for `linear`,
 * `y[t] = factor[t] * y[t - 1] + term[t]`, factor and term. Places are counted along the line, i32.
 */
export interface ScanInfo {
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
  /** From the last element to the first. */
  readonly reversed: boolean;
  readonly fold: ScanFold;
  readonly dtype: SortKeyType;
}

/**
 * `out = input; out[o, index[o, j, i], i] = fold(that, src[o, j, i])` for `[outer, dim, inner]` out and `[outer, indexDim, inner]`
 * index and src. Inputs: input, index (i32), src. Folds in the order of j, so the bits are fixed.
 */
export interface ScatterInfo {
  readonly outer: number;
  readonly dim: number;
  readonly indexDim: number;
  readonly inner: number;
  readonly fold: "sum" | "prod" | "max" | "min";
  /** Type of the values. */
  readonly type: "f32" | "i32" | "u32";
}

/**
 * Views of images: see `ops/augment`. Inputs: images (bytes, `count` of them), index (i32 `[n]`), parameters (f32 `[n, columns]`).
 */
export interface AugmentInfo {
  readonly n: number;
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly columns: number;
  /** One a channel. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly isGrayFirst: boolean;
  /** Whether boxes start and end between pixels. */
  readonly isSubpixel: boolean;
  /** Side of the blur's kernel; 1 for none. */
  readonly taps: number;
  /** Where the parameters of sample i are: from `offset + stride * i` on; by default in rows of `columns`. */
  readonly parameters?: { readonly offset: number; readonly stride: number };
}

/** A whole-arena update; `count` elements, a multiple of 64. Inputs per kernel: see `shaders/momentumSgd.wgsl` and siblings. */
export interface UpdateInfo {
  readonly count: number;
}

/** SGD over an arena; whether all its parameters are alike: see `shaders/momentumSgdUniform.wgsl`. */
export interface SgdInfo extends UpdateInfo {
  readonly isAlike: boolean;
}

/** Adam over an arena: `maxExpAvgSq` is there only with `amsgrad`. Inputs: see `ops/adam`. */
export interface AdamInfo extends UpdateInfo {
  readonly amsgrad: boolean;
}

/** RMSprop over an arena: which of the optional arenas there are. Inputs: see `ops/rmsProp`. */
export interface RmsPropInfo extends UpdateInfo {
  readonly momentum: boolean;
  readonly centered: boolean;
}

/** LARS over an arena of so many parameters. Inputs: see `ops/lars`. */
export interface LarsInfo extends UpdateInfo {
  readonly segments: number;
}

/** Partial norms of gradients, one each `chunk` elements; `kind` is a NormKind of `ops/clip`. */
export interface GradNormInfo extends UpdateInfo {
  readonly chunk: number;
  readonly kind: number;
  /** Where the first one goes. */
  readonly offset: number;
}

/** The norm from `count` partial ones. */
export interface ClipFactorInfo {
  readonly count: number;
  readonly kind: number;
}

/** Kernel family -> what it must be told. */
export interface KernelInfoMap {
  matmul: MatmulInfo;
  conv2d: Conv2dInfo;
  conv2dGradInput: Conv2dInfo;
  conv2dGradWeight: Conv2dInfo;
  maxPool2d: Pool2dInfo;
  maxPool2dGrad: Pool2dInfo;
  maxPool2dIndices: Pool2dInfo;
  adaptiveMaxPool2dIndices: AdaptivePool2dInfo;
  topk: TopkInfo;
  sort: SortInfo;
  scan: ScanInfo;
  scatter: ScatterInfo;
  augment: AugmentInfo;
  contrast: ContrastInfo;
  contrastMean: ContrastInfo;
  momentumSgd: SgdInfo;
  ema: UpdateInfo;
  momentumSgdEma: SgdInfo;
  adam: AdamInfo;
  rmsProp: RmsPropInfo;
  lars: LarsInfo;
  gradNorm: GradNormInfo;
  clipFactor: ClipFactorInfo;
  clipGradNorm: UpdateInfo;
  clipGradValue: UpdateInfo;
}
