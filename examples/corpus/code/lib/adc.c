/* Reads the pressure probe of a stilling well: 4..20 mA over a 100 ohm resistor, 12 bit converter. */
#include <stdint.h>

#define FULL_SCALE_CM 600.0f
#define ADC_MAX 4095.0f
#define REFERENCE_V 2.5f

/* A broken cable carries less than 3.6 mA; the level is then unknown, which is not the same as zero. */
int probe_level_cm(uint16_t raw, float *level_cm)
{
    float milliamps = (float)raw / ADC_MAX * REFERENCE_V / 100.0f * 1000.0f;

    if (milliamps < 3.6f)
        return -1;
    *level_cm = (milliamps - 4.0f) / 16.0f * FULL_SCALE_CM;
    return 0;
}
