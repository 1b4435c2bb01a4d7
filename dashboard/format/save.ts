/** Downloads of files that the page creates. */

/** Downloads a text as a file. */
export function saveText(fileName: string, type: string, text: string): void {
  saveBlob(fileName, new Blob([text], { type }));
}

export function saveBlob(fileName: string, blob: Blob): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = address;
  link.download = fileName;
  link.click();
  // A started download keeps its own reference to the bytes.
  setTimeout(() => URL.revokeObjectURL(address));
}
