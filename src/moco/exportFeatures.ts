/** Features as files that other programs read. */

import { IndexError, ShapeError } from "../errors";
import { type FileArray, writeNpy, writeSafetensors } from "../io";
import { showShape } from "../graph/shape";
import { checkIsList, checkOptionNames } from "../options";
import { read, type Tensor } from "../tensor";
import { checkTensorOptions } from "./checks";

/** What `exportFeatures` takes. */
export interface ExportFeaturesOptions {
  /** `[n, dim]` */
  readonly features: Tensor;
  /** Integers `[n]`. */
  readonly labels?: Tensor;
  /** Names of the classes; a label is an index into them. */
  readonly classNames?: readonly string[];
  /** Texts that the safetensors file is to hold besides: which model it was, and how images were prepared. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Features of one moment on the host; the bytes of files are made when they are asked for. */
export interface FeatureFiles {
  /** One file of `features` f32 and `labels` i32. Its metadata has the class names as a JSON list, `class_names`. */
  safetensors(): Uint8Array;
  /** Files of one array each; labels are null where there are none. */
  npy(): { readonly features: Uint8Array; readonly labels: Uint8Array | null };
}

/**
 * Brings features to the host, as files for NumPy, PyTorch and others.
 *
 * @param options see ExportFeaturesOptions
 * @throws DTypeError, ShapeError if features and labels do not fit, IndexError for a label that is no integer, or has no name
 * @see writeSafetensors, writeNpy
 *
 * @example
 * const features = await featuresOf(model.encoderQ, test.images, { prepare });
 * const files = await exportFeatures({ features, labels: test.labels, classNames: FASHION_MNIST_CLASSES });
 * await writeFile("features.safetensors", files.safetensors()); // safetensors.numpy.load_file
 * await writeFile("features.npy", files.npy().features); // numpy.load
 */
export async function exportFeatures(options: ExportFeaturesOptions): Promise<FeatureFiles> {
  checkOptionNames("exportFeatures", options, ["features", "labels", "classNames", "metadata"]);
  const { features, labels, classNames, metadata = {} } = options;
  checkTensorOptions("exportFeatures", { features, ...(labels !== undefined && { labels }) });
  if (classNames !== undefined) checkIsList("exportFeatures", "classNames", classNames);
  if (features.ndim !== 2 || (labels && (labels.ndim !== 1 || labels.size(0) !== features.size(0)))) {
    throw new ShapeError(
      `exportFeatures: features must be [n, dim] and labels [n], got ${showShape(features.shape)} and ${labels ? showShape(labels.shape) : "none"}. Flatten the features.`,
    );
  }
  const [values, given] = await Promise.all([hostArray(features.float()), labels ? hostArray(labels) : null]);
  const classes = given && classesOf(given, classNames);
  return {
    safetensors: () =>
      writeSafetensors(
        { features: values, ...(classes && { labels: classes }) },
        { ...metadata, ...(classNames && { class_names: JSON.stringify(classNames) }) },
      ),
    npy: () => ({ features: writeNpy(values), labels: classes && writeNpy(classes) }),
  };
}

async function hostArray(x: Tensor): Promise<FileArray> {
  const [data] = await read([x]);
  return { shape: x.shape, dtype: x.dtype, data: data! };
}

/** Labels as i32, whatever they were. Without names they may be any integers. */
function classesOf({ shape, data }: FileArray, classNames: readonly string[] | undefined): FileArray {
  const labels = Array.from(data, Number);
  const classes = Int32Array.from(labels);
  labels.forEach((label, index) => {
    if (label !== classes[index]) {
      throw new IndexError(`exportFeatures: labels must be integers of i32, got ${label}. Pass indices of classes.`);
    }
    if (!classNames || (label >= 0 && label < classNames.length)) return;
    throw new IndexError(
      `exportFeatures: labels must be in 0..${classNames.length - 1}, as there are ${classNames.length} names, got ${label}. Name all classes.`,
    );
  });
  return { shape, dtype: "i32", data: classes };
}
