/** The wall dashboard of the control room: colours of the five gauges. */

export type AlarmLevel = "calm" | "watch" | "warning" | "danger";

export interface GaugeTile {
  id: string;
  place: string;
  levelCm: number;
  trendCmPerHour: number;
}

const LIMITS_CM: Record<string, [number, number, number]> = {
  G2: [180, 230, 285],
  G3: [195, 245, 300],
  G4: [210, 260, 320],
};

export function alarmLevel(tile: GaugeTile): AlarmLevel {
  const limits = LIMITS_CM[tile.id];
  if (!limits) return "calm"; // G1 freezes and G5 feels the tide: a fixed limit would only cry wolf
  const [watch, warning, danger] = limits;
  if (tile.levelCm >= danger) return "danger";
  if (tile.levelCm >= warning) return "warning";
  return tile.levelCm >= watch ? "watch" : "calm";
}

/** Hours until the next limit, if the trend holds. */
export function hoursUntil(tile: GaugeTile, limitCm: number): number | null {
  if (tile.trendCmPerHour <= 0) return null;
  return Math.max(0, (limitCm - tile.levelCm) / tile.trendCmPerHour);
}
