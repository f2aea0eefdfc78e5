/**
 * PyTorch's functions of `torch` that are methods of tensors too: `gather(x, dim, index)` is `x.gather(dim, index)`. What they
 * do and throw is said there.
 */

import { functionOf } from "./functionOf";

// --- shape --------------------------------------------------------------------------------------------------------------

/** The same elements in the same order under another shape; one size may be -1. @see torch.reshape */
export const reshape = functionOf("reshape");

/** Dimensions `startDim` to `endDim` joined to one. @see torch.flatten */
export const flatten = functionOf("flatten");

/** All elements in one dimension. @see torch.ravel */
export const ravel = functionOf("ravel");

/** Dimension `dim` as several, of which one size may be -1. @see torch.unflatten */
export const unflatten = functionOf("unflatten");

/** Dimensions of size 1 removed: all, or those of `dim`. @see torch.squeeze */
export const squeeze = functionOf("squeeze");

/** A dimension of size 1 inserted at `dim`. @see torch.unsqueeze */
export const unsqueeze = functionOf("unsqueeze");

/** Dimensions in another order. @see torch.permute */
export const permute = functionOf("permute");

/** Two dimensions swapped. @see torch.transpose */
export const transpose = functionOf("transpose");

/** Two dimensions swapped. @see torch.swapaxes */
export const swapaxes = functionOf("swapaxes");

/** Two dimensions swapped. @see torch.swapdims */
export const swapdims = functionOf("swapdims");

/** A matrix with rows and columns swapped; vectors and scalars as they are. @see torch.t */
export const t = functionOf("t");

/** Dimensions moved to other places; those that are not named keep their order. @see torch.movedim */
export const movedim = functionOf("movedim");

/** Dimensions moved to other places. @see torch.moveaxis */
export const moveaxis = functionOf("moveaxis");

/** Dimensions of size 1 repeated, and new ones in front. @see torch.broadcast_to */
export const broadcastTo = functionOf("broadcastTo");

// --- parts --------------------------------------------------------------------------------------------------------------

/** `length` elements of `dim` from `start` on. @see torch.narrow */
export const narrow = functionOf("narrow");

/** The elements at `index` of `dim`, which is removed. @see torch.select */
export const select = functionOf("select");

/** Pieces along `dim`: of one size, the last may be smaller, or of the sizes that are listed. @see torch.split */
export const split = functionOf("split");

/** At most `chunks` pieces of one size along `dim`; the last may be smaller. @see torch.chunk */
export const chunk = functionOf("chunk");

/** Pieces along `dim`: so many, or cut before each of the indices. @see torch.tensor_split */
export const tensorSplit = functionOf("tensorSplit");

/** All entries of `dim`, which is removed. @see torch.unbind */
export const unbind = functionOf("unbind");

/** The diagonal of two dimensions, as a new last one. @see torch.diagonal */
export const diagonal = functionOf("diagonal");

/** The diagonal of a matrix; of a vector, the matrix that has it there. @see torch.diag */
export const diag = functionOf("diag");

/** The last dimension on the diagonal of two new ones, `dim1` and `dim2`; 0 elsewhere. @see torch.diag_embed */
export const diagEmbed = functionOf("diagEmbed");

/** The sum of a matrix's diagonal. @see torch.trace */
export const trace = functionOf("trace");

/** What lies on and below a diagonal; 0 elsewhere. @see torch.tril */
export const tril = functionOf("tril");

/** What lies on and above a diagonal; 0 elsewhere. @see torch.triu */
export const triu = functionOf("triu");

// --- order --------------------------------------------------------------------------------------------------------------

/** Elements in reverse order along `dims`. @see torch.flip */
export const flip = functionOf("flip");

/** Columns in reverse order. @see torch.fliplr */
export const fliplr = functionOf("fliplr");

/** Rows in reverse order. @see torch.flipud */
export const flipud = functionOf("flipud");

/** Elements moved on by `shifts` along `dims`, those at the end to the front. @see torch.roll */
export const roll = functionOf("roll");

/** Turned by `k` quarters in the plane of two dims, from the first towards the second. @see torch.rot90 */
export const rot90 = functionOf("rot90");

/** The tensor several times along each dimension; counts that are missing in front are 1. @see torch.tile */
export const tile = functionOf("tile");

/** Each element several times in a row along `dim`; counts in a tensor are read, and so awaited. @see torch.repeat_interleave */
export const repeatInterleave = functionOf("repeatInterleave");

// --- places -------------------------------------------------------------------------------------------------------------

/** `out[i][j] = x[index[i][j]][j]` for `dim` 0, and so on. @see torch.gather */
export const gather = functionOf("gather");

/** As `gather`, where tensor and index broadcast outside `dim`; without `dim`, of flat tensors. @see torch.take_along_dim */
export const takeAlongDim = functionOf("takeAlongDim");

/** Elements of the flat tensor, in the shape of the index; negative indices count from the end. @see torch.take */
export const take = functionOf("take");

/** Entries of `dim` by a list of indices. @see torch.index_select */
export const indexSelect = functionOf("indexSelect");

/** The elements where the mask is true, in one dimension; both broadcast. @see torch.masked_select */
export const maskedSelect = functionOf("maskedSelect");

/** The coordinates of all elements that are not 0. @see torch.argwhere */
export const argwhere = functionOf("argwhere");

/** The coordinates of all elements that are not 0, a row each, or one tensor a dimension. @see torch.nonzero */
export const nonzero = functionOf("nonzero");

/** A tensor, with `out[index[i][j]][j] = src[i][j]` for `dim` 0, and so on. @see torch.scatter */
export const scatter = functionOf("scatter");

/** A tensor, with `out[index[i][j]][j] += src[i][j]` for `dim` 0, and so on, in a fixed order. @see torch.scatter_add */
export const scatterAdd = functionOf("scatterAdd");

/** A tensor, with `src[i][j]` folded into `out[index[i][j]][j]` for `dim` 0, and so on. @see torch.scatter_reduce */
export const scatterReduce = functionOf("scatterReduce");

/** A tensor, with entries of `source` added to those of `dim` that `index` names, in its order. @see torch.index_add */
export const indexAdd = functionOf("indexAdd");

/** A tensor, with entries of `source` in place of those of `dim` that `index` names. @see torch.index_copy */
export const indexCopy = functionOf("indexCopy");

/** A tensor, with one value in the entries of `dim` that `index` names. @see torch.index_fill */
export const indexFill = functionOf("indexFill");

/** A tensor, with the elements that tensors of indices name replaced. @see torch.index_put */
export const indexPut = functionOf("indexPut");

/** A tensor, with the elements of the flat tensor at `index` replaced; negative indices count from the end. @see torch.put */
export const put = functionOf("put");

/** `value` where the mask is true, the tensor elsewhere; both broadcast. @see torch.masked_fill */
export const maskedFill = functionOf("maskedFill");

/** The elements of `source`, in their order, where the mask is true; the tensor elsewhere. @see torch.masked_scatter */
export const maskedScatter = functionOf("maskedScatter");

/** A tensor, with its diagonal replaced. @see torch.diagonal_scatter */
export const diagonalScatter = functionOf("diagonalScatter");

/** A tensor, with the entry `index` of `dim` replaced. @see torch.select_scatter */
export const selectScatter = functionOf("selectScatter");

/** A tensor, with `start:end:step` of `dim` replaced. @see torch.slice_scatter */
export const sliceScatter = functionOf("sliceScatter");

// --- products -----------------------------------------------------------------------------------------------------------

/** Matrix product; batch dimensions broadcast, vectors are rows on the left and columns on the right. @see torch.matmul */
export const matmul = functionOf("matmul");

/** Product of two matrices. @see torch.mm */
export const mm = functionOf("mm");

/** Products of two stacks of matrices, one by one. @see torch.bmm */
export const bmm = functionOf("bmm");

/** Product of a matrix and a vector. @see torch.mv */
export const mv = functionOf("mv");

/** Product of two vectors, a scalar. @see torch.dot */
export const dot = functionOf("dot");

/** As `dot`: numbers here are real. @see torch.vdot */
export const vdot = functionOf("vdot");

/** Products summed over the last dimension of both. @see torch.inner */
export const inner = functionOf("inner");

/** Every element of one vector times every element of the other. @see torch.outer */
export const outer = functionOf("outer");

/** `beta * x + alpha * mat1 @ mat2`; x broadcasts. @see torch.addmm */
export const addmm = functionOf("addmm");

/** `beta * x + alpha * mat @ vec`; x broadcasts. @see torch.addmv */
export const addmv = functionOf("addmv");

/** `beta * x + alpha * outer(vec1, vec2)`; x broadcasts. @see torch.addr */
export const addr = functionOf("addr");

/** `beta * x + alpha * batch1 @ batch2` for stacks of matrices; x broadcasts. @see torch.baddbmm */
export const baddbmm = functionOf("baddbmm");

/** Cross products of 3-vectors along `dim`, by default the first dimension of size 3. @see torch.cross */
export const cross = functionOf("cross");

/** The Kronecker product: a block `x[i] * other` for each element of `x`. @see torch.kron */
export const kron = functionOf("kron");

/** A square matrix, or a stack of them, to the power of `n`. @see torch.matrix_power */
export const matrixPower = functionOf("matrixPower");
