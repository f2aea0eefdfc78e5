import { FormatError } from "../../errors";

/** The error of a checkpoint that is not what its format promises. */
export const malformed = (
  mustHold: string,
  got: string,
  way = "The file is damaged: save it again with torch.save.",
): FormatError => new FormatError(`readTorch: ${mustHold}, got ${got}. ${way}`);

/** Text of a file, for an error. */
export const quoted = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);
