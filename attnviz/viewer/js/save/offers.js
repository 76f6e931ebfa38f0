// What a host saves.

/** Whether a host saves ``what`` (see host.js); of a figure, as a file of this ``format``. */
export function canSave({ save, saves }, what, format = '') {
  return Boolean(save) && (!saves || saves.includes([what, format].filter(Boolean).join(' ')));
}
