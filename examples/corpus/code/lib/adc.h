#ifndef ADC_H
#define ADC_H
#include <stdint.h>
/* Level of a stilling well in centimetres; returns -1 if the cable is broken. */
int probe_level_cm(uint16_t raw, float *level_cm);
#endif
